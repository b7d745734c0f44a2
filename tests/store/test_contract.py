"""The values of the contract."""

from __future__ import annotations

import pytest

from jido_jupyter.store.contract import Damage, Revision, Stored


def test_a_revision_is_shown_by_its_number_and_the_start_of_its_seal() -> None:
    """Sixteen digits tell two writers apart."""
    assert str(Revision(3, "0123456789abcdef" * 4)) == "3-0123456789abcdef"


def test_the_last_records_are_counted() -> None:
    """More than there are is all; none, or fewer, is none."""
    stored = Stored({}, ({"n": 1}, {"n": 2}), Revision(2, ""))

    assert stored.last(1) == ({"n": 2},)
    assert stored.last(9) == stored.records
    assert stored.last(0) == stored.last(-1) == ()


def test_records_after_a_number() -> None:
    """The one with the number is known, those after it are not."""
    stored = Stored({}, ({"n": 1}, {"n": 2}), Revision(2, ""))

    assert stored.since(1) == ({"n": 2},)
    assert stored.since(0) == stored.records
    assert stored.since(2) == ()


@pytest.mark.parametrize(
    ("damage", "is_verified"),
    [
        ((), True),
        ((Damage("torn", 3, ""), Damage("altered", 2, ""), Damage("repeated", 2, "")), True),
        ((Damage("altered", 1, ""),), False),
        ((Damage("foreign", 2, ""),), False),
        ((Damage("torn", 3, ""), Damage("missing", 2, "")), False),
    ],
)
def test_what_damage_leaves_unproven(damage: tuple[Damage, ...], is_verified: bool) -> None:
    """A changed header, a foreign key and a gap leave doubt about what was read; lines that were lost do not."""
    assert Stored({}, (), Revision(0, ""), damage).is_verified is is_verified
