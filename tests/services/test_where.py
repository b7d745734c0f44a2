"""Which session made a cell: over the origins of messages, whatever the index knows."""

from __future__ import annotations

import itertools
import tempfile

import pytest

from jido_jupyter.core.messages import Message, Origin, text_part
from jido_jupyter.core.records import Owner
from jido_jupyter.core.window import Window
from jido_jupyter.services import where
from jido_jupyter.services.limits import Limits
from jido_jupyter.services.sessions import Sessions
from jido_jupyter.store.limiter import FileLimiter
from jido_jupyter.store.memory import MemoryStore
from jido_jupyter.testing.clock import FakeClock


@pytest.fixture
def sessions() -> Sessions:
    clock, numbers = FakeClock(), itertools.count(1)
    limits = Limits(FileLimiter(tempfile.mkdtemp(), clock.boot), Window(5, 60), Window(20, 60))
    return Sessions(
        MemoryStore(max_bytes=100_000),
        limits,
        max_sessions=99,
        max_open=99,
        clock=clock.now,
        mint_id=lambda: f"id{next(numbers)}",
    )


def asked(sessions: Sessions, notebook: str, *cells: str, linked: str | None = None) -> str:
    """Store a session with a question in each cell, which goes on in ``linked``; return its id."""
    live = sessions.new(Owner("kernel", "here", 1, notebook))
    for cell in cells:
        origin = Origin(notebook, cell, 3)
        live.record([Message(f"{live.id}-{cell}", "user", (text_part(cell),), live.now(), origin=origin)])
    if linked:
        live.link(linked)
    return live.id


def test_a_cell_is_found_by_the_start_of_its_id(sessions: Sessions) -> None:
    """Session and message number are told."""
    asked(sessions, "/a.ipynb", "c1")
    wanted = asked(sessions, "/b.ipynb", "c2", "abc-123")

    [made] = where.by_cell(sessions, "abc", "/a.ipynb").made

    assert (made.session.id, made.number) == (wanted, 2)


def test_a_conversation_that_moved_on_is_found(sessions: Sessions) -> None:
    """Its cells stay those of the notebook where they were asked."""
    moved = asked(sessions, "/a.ipynb", "c1", linked="/other.ipynb")

    assert [made.session.id for made in where.by_notebook(sessions, "/a.ipynb").made] == [moved]
    assert where.by_notebook(sessions, "/other.ipynb").made == ()


def test_a_renamed_notebook_is_told_by_its_cells(sessions: Sessions) -> None:
    """Cell ids go with the file, its name does not."""
    asked(sessions, "/old.ipynb", "c1")

    assert where.by_notebook(sessions, "/new.ipynb").made == ()
    assert len(where.by_notebook(sessions, "/new.ipynb", frozenset({"c1"})).made) == 1


def test_only_the_same_path_counts(sessions: Sessions) -> None:
    """A path that merely contains it is another notebook; the newest comes first."""
    asked(sessions, "/desk/a.ipynb", "c1")
    asked(sessions, "/more/desk/a.ipynb", "c1")

    found = where.sessions_of(sessions, "/desk/a.ipynb")

    assert [summary.notebook for summary in found] == ["/desk/a.ipynb"]


def test_it_tells_how_far_it_looked(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions of the notebook are all read, others up to a number."""
    monkeypatch.setattr(where, "OTHERS", 2)
    for _ in range(5):
        asked(sessions, "/x.ipynb", "c1")

    found = where.by_cell(sessions, "nowhere", "/y.ipynb")

    assert (found.made, found.read, found.stored) == ((), 2, 5)
