"""JSON from outside: what could not be kept as it is does not get in."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jido_jupyter.errors import InvalidRequest
from jido_jupyter.services.parsing import parse

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(JSON)
def test_sound_json_comes_through(value: object) -> None:
    """What can be stored is parsed as it stands."""
    assert parse(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{not json", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"", "no JSON"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e999]", "no JSON number"),
        (b"[18446744073709551616]", "more than 64 bits"),
        (b"[" + b"9" * 5000 + b"]", "more than 64 bits"),
        (b"[" * 300 + b"]" * 300, "deeper than 200"),
        (b"[" * 100_000 + b"]" * 100_000, "too deep"),
        (b"[" + b"[]," * 1_000_001 + b"[]]", "arrays and objects"),
    ],
)
def test_what_cannot_be_kept_is_refused(data: bytes, words: str) -> None:
    """Each bomb and each number that would change gets one sentence, at once."""
    started = time.monotonic()

    with pytest.raises(InvalidRequest, match=words):
        parse(data)

    assert time.monotonic() - started < 1
