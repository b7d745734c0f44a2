"""The index may be lost, stale, broken or unwritable: that costs time, and hides nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.query import Query, fold, matches, parse, snippet, words
from jido_jupyter.core.session import replay, summarise
from jido_jupyter.errors import InvalidField
from jido_jupyter.store import catalogue, changes, keys
from jido_jupyter.store.file import FileStore
from jido_jupyter.testing.store_conformance import AT, all_summaries, created, said


def opened(tmp_path: Path) -> FileStore:
    places = [str(tmp_path / name) for name in ("home", "keys", "cache")]
    return FileStore(places[0], keys.load_or_create(places[1]), 10**7, places[2])


def index_of(tmp_path: Path) -> Path:
    [path] = (tmp_path / "cache").glob("index-*.sqlite")
    return path


def ids(store: FileStore, text: str = "") -> list[str]:
    return [hit.summary.id for hit in store.find(parse(text), limit=10**6).hits]


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return opened(tmp_path)


def test_a_deleted_index_is_built_anew(store: FileStore, tmp_path: Path) -> None:
    """Without its file the next process lists and finds everything."""
    for number in range(5):
        created(store, f"s{number}", said(number))
    assert len(ids(store)) == 5
    for path in (tmp_path / "cache").iterdir():
        path.unlink()

    again = opened(tmp_path)

    assert len(ids(again)) == 5
    assert ids(again, '"text 3"') == ["s3"]


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 5000, b"SQLite format 3\0" + b"\xff" * 5000, b"not a database at all"]
)
def test_a_damaged_index_is_built_anew(store: FileStore, tmp_path: Path, content: bytes) -> None:
    """Whatever stands in its file, everything is listed, and nobody has to do anything."""
    created(store, "one", said(1))
    ids(store)
    for path in (tmp_path / "cache").iterdir():
        path.unlink()
    (tmp_path / "cache" / f"index-{store.id}.sqlite").write_bytes(content)

    assert ids(opened(tmp_path)) == ["one"]
    assert ids(opened(tmp_path), "text") == ["one"]


def test_damage_while_it_is_open_is_mended(store: FileStore, tmp_path: Path) -> None:
    """A running process whose index breaks under it goes on."""
    created(store, "one", said(1))
    ids(store, "text")
    path = index_of(tmp_path)
    path.write_bytes(b"\xff" * path.stat().st_size)
    for name in ("-wal", "-shm"):
        Path(f"{path}{name}").unlink(missing_ok=True)
    created(store, "two", said(2))

    assert set(ids(store, "text")) == {"one", "two"}


def test_an_unwritable_cache_costs_only_time(store: FileStore, tmp_path: Path) -> None:
    """Where no file can be made, the index lives in memory."""
    created(store, "one", said(1))
    (tmp_path / "blocked").write_text("")
    other = FileStore(
        str(tmp_path / "home"), keys.load_or_create(str(tmp_path / "keys")), 10**7, str(tmp_path / "blocked")
    )

    assert ids(other, "text") == ["one"]
    assert other.count() == 1


def test_another_versions_index_is_replaced(store: FileStore, tmp_path: Path) -> None:
    """An index that a later version made is not read, but built anew."""
    created(store, "one", said(1))
    ids(store)
    with store._catalogue._index.opened() as db:
        db.execute("PRAGMA user_version = 99")

    assert ids(opened(tmp_path)) == ["one"]


def test_what_another_process_writes_is_seen(store: FileStore, tmp_path: Path) -> None:
    """Appends, new sessions and trashed ones of other processes are in the next answer."""
    revision = created(store, "one", said(1))
    created(store, "gone", said(5))
    ids(store, "text")
    seen = store.changes()
    code = f"""
        from pathlib import Path
        from tests.store.test_index import opened
        from jido_jupyter.testing.store_conformance import created, said
        store = opened(Path({str(tmp_path)!r}))
        store.append("one", [said(2, "needle")], store.revision("one"))
        created(store, "two", said(3, "haystack"))
        store.trash("gone")
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)

    assert store.changes() != seen
    assert ids(store, "needle") == ["one"]
    assert ids(store, "haystack") == ["two"]
    assert set(ids(store)) == {"one", "two"}
    assert ids(store, "is:trashed") == ["gone"]
    assert store.count() == 2
    assert revision.n == 1


def test_files_that_came_from_elsewhere_are_listed_at_once(store: FileStore, tmp_path: Path) -> None:
    """A session that another host or a copy program put there is never hidden; one that it took is never shown."""
    created(store, "one", said(1))
    created(store, "two", said(2))
    ids(store)
    folder = tmp_path / "home" / "sessions"
    away = (folder / "one.jsonl").read_bytes()
    (folder / "one.jsonl").unlink()
    assert ids(store) == ["two"]

    (folder / "one.jsonl").write_bytes(away)
    os.chmod(folder / "one.jsonl", 0o600)

    assert set(ids(store)) == {"one", "two"}


def test_what_changed_in_place_is_found_at_the_next_look(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An append of another host moves no sign of ours; the look at all files sees it."""
    revision = created(store, "one", said(1))
    ids(store)
    monkeypatch.setattr(changes, "mark", lambda *arguments: None)
    store.append("one", [said(2, "needle")], revision)

    monkeypatch.setattr(catalogue, "SCAN_S", 0.0)

    assert ids(store, "needle") == ["one"]


def test_a_long_change_file_is_begun_anew(store: FileStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It does not grow without end, and nothing is missed when it starts again."""
    monkeypatch.setattr(changes, "MAX_BYTES", 30)
    revision = created(store, "one", said(1))
    for number in range(2, 30):
        revision = store.append("one", [said(number, f"word{number}")], revision)
        assert ids(store, f"word{number}") == ["one"]

    path = tmp_path / "home" / "changes"
    assert not path.exists() or path.stat().st_size <= 40


def test_an_index_survives_a_fork(store: FileStore) -> None:
    """A child that a kernel forks lists with a connection of its own."""
    created(store, "one", said(1))
    ids(store)
    child = os.fork()
    if child == 0:
        os._exit(0 if ids(store, "text") == ["one"] else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert ids(store) == ["one"]


def test_an_older_state_put_back_is_told(store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rollback or a clean cut breaks no seal, but the index has seen more; compacting is no such thing."""
    monkeypatch.setattr(catalogue, "SCAN_S", 0.0)
    revision = created(store, "one", said(1))
    path = tmp_path / "home" / "sessions" / "one.jsonl"
    older = path.read_bytes()
    revision = store.append("one", [said(2)], revision)
    assert all_summaries(store)[0].problems == ()

    path.write_bytes(older)
    assert "older state" in all_summaries(store)[0].problems[0]

    path.write_bytes(older)
    revision = store.append("one", [said(2)], store.revision("one"))
    store.replace("one", records.header("one", AT), [said(1)], revision)
    assert all_summaries(store)[0].problems == ()


WORDS = st.sampled_from(
    [
        "alpha",
        "Beta",
        "ÄRGER",
        "arger",
        "straße",
        "STRASSE",
        "snake_case",
        "ﬁt",
        "fit",
        "a-b",
        "x",
        "日本",
        "٣",
        "e\u0301",
    ]
)
TEXT = st.lists(WORDS, max_size=5).map(" ".join)
SESSION = st.fixed_dictionaries(
    {
        "texts": st.lists(TEXT, max_size=3),
        "title": WORDS,
        "tags": st.lists(WORDS, max_size=2),
        "notebook": st.none() | WORDS,
        "model": st.none() | WORDS,
        "pinned": st.booleans(),
        "archived": st.booleans(),
        "day": st.integers(1, 9),
    }
)
QUERY = st.lists(
    st.one_of(
        WORDS,
        WORDS.map(lambda word: f"{word[:2]}*"),
        st.lists(WORDS, min_size=1, max_size=2).map(lambda said: f'"{" ".join(said)}"'),
        WORDS.map(lambda word: f'tag:"{word}"'),
        WORDS.map(lambda word: f"notebook:{word}"),
        WORDS.map(lambda word: f"model:{word}"),
        st.integers(1, 9).map(lambda day: f"after:2026-11-0{day}"),
        st.integers(1, 9).map(lambda day: f"before:2026-11-0{day}"),
        st.sampled_from(["is:pinned", "is:archived", "is:trashed"]),
    ),
    min_size=1,
    max_size=3,
).map(" ".join)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(SESSION, st.booleans()), max_size=8), st.lists(QUERY, min_size=1, max_size=6))
def test_the_index_answers_as_a_scan_does(tmp_path_factory, sessions, queries) -> None:
    """On random sessions and queries the index finds exactly what `matches` finds."""
    store = opened(tmp_path_factory.mktemp("scan"))
    expected = []
    for number, (made, is_trashed) in enumerate(sessions):
        at = f"2026-11-0{made['day']}T09:00:00.000Z"
        log = [
            records.meta({name: made[name] for name in ("tags", "notebook", "model", "pinned", "archived")}, AT),
            records.meta({"title": made["title"], "title_source": "user"}, AT),
            records.messages(
                [Message(f"m{index}", "user", (text_part(text),), at) for index, text in enumerate(made["texts"])], at
            ),
        ]
        header = records.header(f"s{number}", at)
        revision = store.create(header, log)
        if is_trashed:
            store.trash(f"s{number}")
        expected.append((summarise(replay(header, log), str(revision)), made["texts"], is_trashed))

    for text in queries:
        query = parse(text)
        found = {hit.summary.id for hit in store.find(query, limit=100).hits}
        assert found == {
            summary.id
            for summary, texts, is_trashed in expected
            if matches(query, summary, texts, is_trashed=is_trashed)
        }, text


@given(st.text(max_size=30))
def test_any_text_is_a_query(text: str) -> None:
    """Whatever is typed is a query, or is refused by name."""
    try:
        query = parse(text)
    except InvalidField as error:
        assert ":" in error.path
    else:
        assert all(word == fold(word) for phrase in query.phrases for word in phrase)


def test_a_snippet_shows_folded_words() -> None:
    """A word that was found without its accents is shown with them."""
    assert snippet(parse("uberfitting"), "Wieder Überfitting hier") == "Wieder Überfitting hier"
    assert snippet(parse("nowhere"), "Ü") == ""


def test_folding() -> None:
    """Case, accents and compatibility forms do not matter."""
    assert words("Ärger ﬁnden, STRAẞE! e\u0301") == ["arger", "finden", "strasse", "e"]
    assert Query() == parse("   ")
