"""Histories that are followed: what is new is recorded, what changed is taken back, nothing of others is touched."""

from __future__ import annotations

import time
import types
import warnings
from collections import UserList
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

from jido_jupyter.adapters.recorder import RecordingWarning
from jido_jupyter.adapters.watching import Watch, history_of, opening, watch_name, watches
from jido_jupyter.connection import Connection
from jido_jupyter.core.messages import Origin
from jido_jupyter.errors import InvalidField, StoreFull
from jido_jupyter.store.file import FileStore
from tests.adapters.conftest import told


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


@pytest.fixture
def follow(connection: Connection) -> Callable[[Any], Watch]:
    def start(history: Any, **options: Any) -> Watch:
        return Watch(history_of(history), opening(connection.sessions, None, lambda: None), **options)

    return start


@pytest.fixture
def shell():
    shell = InteractiveShell()
    yield shell
    for watch in watches(shell):
        watch.stop()
    InteractiveShell.clear_instance()


def texts(watch: Watch, stored) -> list[str]:
    assert watch.session_id is not None
    return [text for _, text in told(stored(watch.session_id))]


def test_new_items(follow, stored, connection) -> None:
    """Each look records what came since the last one; before there is anything, there is no session."""
    history: list[Any] = []
    with follow(history) as watch:
        assert (watch.sync(), watch.session_id) == ((), None)
        history += [user("one"), {"role": "assistant", "content": "1"}]
        first = watch.sync()
        history.append(user("two"))

        assert [message.text for message in first] == ["one", "1"]
        assert texts(watch, stored) == ["one", "1"]
        assert watch.sync() == watch.messages[2:]
        assert watch.sync() == ()
    assert texts(watch, stored) == ["one", "1", "two"]
    assert connection.sessions.show(watch.session_id).owner is None
    assert "stopped" in repr(watch)


def test_a_changed_past(follow, stored) -> None:
    """Items that were taken away, replaced or changed in place are taken back to what is shared, and recorded anew."""
    history = [user("one"), user("two"), user("three")]
    watch = follow(history)
    watch.sync()

    del history[1:]
    history.append(user("other"))
    watch.sync()
    replaced = texts(watch, stored)
    history[1]["content"] += " way"
    watch.sync()
    changed = texts(watch, stored)
    history.clear()
    watch.sync()

    assert (replaced, changed) == (["one", "other"], ["one", "other way"])
    assert texts(watch, stored) == []
    assert stored(watch.session_id).repairs == ()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from("abc"), max_size=5), min_size=1, max_size=6))
def test_any_course(follow, stored, connection, course) -> None:
    """Whatever a history goes through, after each look the session says what the history says."""
    history: list[Any] = []
    watch = follow(history)
    for state in course:
        history[:] = [user(letter) for letter in state]
        watch.sync()
        assert [message.text for message in watch.messages] == state
        if watch.session_id:
            assert texts(watch, stored) == state
    watch.stop()
    for summary in connection.sessions.list():
        connection.sessions.trash(summary.id)


def test_what_others_said_stays(follow, stored, new) -> None:
    """In a session that others add to, a changed past is recorded behind what they said, and takes nothing of it away."""
    session = new()
    session.record("user", "before")
    history = [user("one"), user("two")]
    watch = Watch(lambda: history, lambda: session.live, is_own=False)
    watch.sync()
    history.pop()
    watch.sync()
    session.record("user", "asked elsewhere")
    history[:] = [user("anew")]

    watch.sync()
    watch.stop()

    assert texts(watch, stored) == ["before", "one", "asked elsewhere", "anew"]
    assert session.live.is_open


def test_going_on_in_a_stored_session(stored, new, resumed) -> None:
    """After a restart a history that holds what the session holds is not recorded again."""
    session = new()
    history = [user("one"), {"role": "assistant", "content": "1"}]
    Watch(lambda: history, lambda: session.live, is_own=False).sync()
    session = resumed(session)
    history.append(user("two"))

    watch = Watch(lambda: history, lambda: session.live, is_own=False)
    watch.sync()
    history.pop()
    watch.sync()

    assert texts(watch, stored) == ["one", "1"]


def test_what_cannot_be_read(follow, stored) -> None:
    """A strange item is told once, and those beside it are recorded."""
    history = [user("one"), {"strange": object()}, user("two")]
    watch = follow(history)

    with pytest.warns(RecordingWarning, match=r"history\[1\].strange: an object of object"):
        watch.sync()
    history.append(user("three"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watch.sync()

    assert texts(watch, stored) == ["one", "two", "three"]


def test_a_full_disk(follow, stored, monkeypatch) -> None:
    """What could not be stored is kept, and written with the next look."""
    history = [user("one")]
    watch = follow(history)
    watch.sync()
    history.append(user("two"))

    def full(*args: Any, **options: Any) -> Any:
        raise StoreFull("/store", "no space left on device", "Free some space.")

    with monkeypatch.context() as patched:
        patched.setattr(FileStore, "append", full)
        with pytest.raises(StoreFull):
            watch.sync()
    assert texts(watch, stored) == ["one"]
    watch.sync()

    assert texts(watch, stored) == ["one", "two"]


@pytest.mark.parametrize(
    "holder",
    [
        types.SimpleNamespace(messages=[user("one")]),
        types.SimpleNamespace(h=[user("one")]),
        types.SimpleNamespace(get_turns=lambda: [user("one")]),
        types.SimpleNamespace(chat_memory=types.SimpleNamespace(messages=[user("one")])),
        UserList([user("one")]),
        (user("one"),),
    ],
)
def test_where_histories_are(follow, stored, holder) -> None:
    """Lists, and the places where chats of several libraries keep theirs."""
    watch = follow(holder)
    watch.sync()

    assert texts(watch, stored) == ["one"]


@pytest.mark.parametrize("holder", [3, "text", {"role": "user"}, object(), b"x"])
def test_no_history(holder) -> None:
    """What holds no history is refused, and the error says what was expected."""
    with pytest.raises(InvalidField, match="expected a list of messages, or an object with one in messages, h"):
        history_of(holder)


def test_by_name(shell, connection, stored) -> None:
    """A variable is followed after each cell, also when it is assigned anew; without it nothing is taken back."""
    origin = Origin("a.ipynb", "c1", 3)
    shell.run_cell("messages = []")
    watch = watch_name(shell, connection, "messages", title="Chat", origin=lambda: origin)
    shell.run_cell("messages.append({'role': 'user', 'content': 'one'})")
    assert texts(watch, stored) == ["one"]
    shell.run_cell("messages = messages + [{'role': 'user', 'content': 'two'}]; 1 / 0")
    shell.run_cell("del messages")
    shell.run_cell("messages = 7")

    state = stored(watch.session_id)
    assert texts(watch, stored) == ["one", "two"]
    assert (state.title, state.notebook, state.messages[0].origin) == ("Chat", "a.ipynb", origin)
    assert watches(shell) == [watch]
    watch.stop()
    watch.stop()
    assert watches(shell) == []


def test_the_same_name_again(shell, connection) -> None:
    """A name that is followed already gives the same watch."""
    shell.run_cell("messages = [{'role': 'user', 'content': 'one'}]")

    assert watch_name(shell, connection, "messages") is watch_name(shell, connection, "messages")


def test_a_part_of_a_variable(shell, connection, stored) -> None:
    """A history inside an object is followed by its path."""
    shell.user_ns["chat"] = types.SimpleNamespace(inner=types.SimpleNamespace(log=[user("one")]))

    watch = watch_name(shell, connection, "chat.inner.log")
    shell.run_cell("chat.inner.log = [*chat.inner.log, {'role': 'user', 'content': 'two'}]")

    assert texts(watch, stored) == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nothing", "there is no variable 'nothing' in this kernel; run the cell that makes it first"),
        ("number.more", "there is no variable 'number.more'"),
        ("number", "is an object of int; expected a list of messages"),
        ("print('x')", "is no name; expected a variable, as in '%jido watch messages'"),
        ("a b", "is no name"),
    ],
)  # fmt: skip
def test_wrong_names(shell, connection, name, expected) -> None:
    """Names that mean no history are refused with the next step; nothing is run to find out."""
    shell.user_ns["number"] = 7

    with pytest.raises(InvalidField, match=expected.replace("(", r"\(").replace(")", r"\)")):
        watch_name(shell, connection, name)


def test_an_error_of_ours_is_no_error_of_the_cell(shell, connection, monkeypatch) -> None:
    """A cell whose messages cannot be recorded ends as it would; the trouble is told once."""
    shell.run_cell("messages = []")
    watch_name(shell, connection, "messages")

    def full(*args: Any, **options: Any) -> Any:
        raise StoreFull("/store", "no space left on device", "Free some space.")

    monkeypatch.setattr(FileStore, "create", full)
    with pytest.warns(RecordingWarning, match="no space left"):
        result = shell.run_cell("messages.append({'role': 'user', 'content': 'one'})")

    assert result.success


def test_long_histories_are_quick(follow) -> None:
    """A look at a history of 2,000 messages in which nothing is new takes a moment of a cell."""
    history = [user("word " * 100) for _ in range(2000)]
    watch = follow(history)
    watch.sync()

    started = time.perf_counter()
    watch.sync()

    assert time.perf_counter() - started < 2
