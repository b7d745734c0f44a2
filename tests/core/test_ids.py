"""Ids are made here and checked at every door."""

import re

from hypothesis import given
from hypothesis import strategies as st

from jido_jupyter.core.ids import ID_BYTES, from_random, is_valid


@given(st.binary(min_size=ID_BYTES, max_size=ID_BYTES))
def test_made_ids_are_valid_and_of_one_length(random: bytes) -> None:
    """Any random bytes give a valid id of 16 characters."""
    assert is_valid(from_random(random))
    assert len(from_random(random)) == 16


@given(st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_different_bytes_give_different_ids(one: bytes, two: bytes) -> None:
    """No randomness is thrown away."""
    assert (from_random(one) == from_random(two)) == (one == two)


@given(st.text(max_size=70))
def test_an_id_is_a_safe_file_name(text: str) -> None:
    """What passes holds nothing but lower-case ASCII letters, digits, _ and -."""
    assert is_valid(text) == bool(re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", text, re.ASCII))
