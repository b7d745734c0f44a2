"""Pages that are kept as long as nothing changes."""

from __future__ import annotations

from jido_jupyter.server.pages import MOST, Pages


def test_a_page_is_kept_for_its_state() -> None:
    """Another state of the store, or other parameters, know nothing of it."""
    pages = Pages()

    pages.keep("one", {"limit": 5}, b"five")

    assert pages.get("one", {"limit": 5}) == b"five"
    assert pages.get("one", {"limit": 6}) is None
    assert pages.get("two", {"limit": 5}) is None


def test_there_are_not_too_many() -> None:
    """A client that asks for something else each time does not fill the memory."""
    pages = Pages()

    for number in range(3 * MOST):
        pages.keep("one", {"limit": number}, b"x")

    assert sum(pages.get("one", {"limit": number}) is not None for number in range(3 * MOST)) <= MOST
