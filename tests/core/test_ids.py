"""Ids are made here and checked at every door."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jido_jupyter.core.ids import ID_BYTES, checked, from_random, is_valid, short
from jido_jupyter.errors import InvalidSessionId


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


def test_an_id_spells_its_bytes() -> None:
    """Five bits a character, the highest first, in an alphabet without i, l, o and u."""
    assert from_random(bytes(range(10))) == "000g40r40m30e209"
    assert from_random(b"\xff" * 5) == "zzzzzzzz"
    assert from_random(b"\x00\x44\x32\x14\xc7") == "01234567"
    assert from_random(b"") == ""


def test_checking_gives_the_id_back_or_names_it() -> None:
    """What is no id never gets further."""
    assert checked("a" * 64) == "a" * 64
    with pytest.raises(InvalidSessionId) as refusal:
        checked("a" * 65)
    assert refusal.value.session_id == "a" * 65


def test_a_short_id_has_eight_characters() -> None:
    """Lists show the beginning."""
    assert short("0123456789") == "01234567"
    assert short("01") == "01"
