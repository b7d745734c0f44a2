"""The door for sessions: what leaves comes back the same, what comes in is checked, and nothing of it is live."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import mistune
import nbformat
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from jido_jupyter.core.messages import Message, Origin, Usage, text_part
from jido_jupyter.core.window import Window
from jido_jupyter.errors import InvalidField, InvalidRequest, JidoError, LimitReached
from jido_jupyter.services import exchange
from jido_jupyter.services.exchange import own
from jido_jupyter.services.exchange.inert import fenced, inert
from jido_jupyter.services.limits import Limits
from jido_jupyter.services.sessions import Sessions, Shown
from jido_jupyter.store.file import FileStore
from jido_jupyter.store.keys import load_or_create
from jido_jupyter.store.limiter import FileLimiter
from jido_jupyter.store.memory import MemoryStore
from jido_jupyter.testing.clock import FakeClock

AT = "2026-11-22T09:00:00.000Z"


def made(tmp_path, store: object = None, limit: int = 10_000) -> Sessions:
    clock = FakeClock()
    limits = Limits(FileLimiter(str(tmp_path / "limits"), clock.boot), Window(5, 60), Window(20, 60))
    numbers = itertools.count(1)
    return Sessions(
        store or MemoryStore(), limits, max_sessions=limit, clock=clock.now, mint_id=lambda: f"n{next(numbers):04}"
    )


@pytest.fixture
def sessions(tmp_path) -> Sessions:
    return made(tmp_path)


def said(number: int, role: str = "user", text: str = "hello", **more: object) -> Message:
    return Message(f"m{number}", role, (text_part(text),), AT, **more)


RICH = [
    said(1, "user", "Why `n<p`?", origin=Origin("a.ipynb", "cell", 3)),
    Message(
        "m2",
        "assistant",
        (
            {"type": "reasoning", "content": "hm", "signature": "x"},
            {"type": "tool_call", "id": "c1", "name": "run", "arguments": {"code": "1+1"}},
            {"type": "hologram", "depth": [1, 2.5, None]},
            text_part("Because."),
        ),
        AT,
        status="truncated",
        model="openai:gpt",
        usage=Usage(3, 4),
        ext={"provider": {"request": "r1"}},
    ),
    Message("m3", "tool", ({"type": "tool_call_response", "id": "c1", "response": {"out": 2}},), AT),
    said(4, "assistant", "", status="failed", error="The server said no."),
]


def stored(sessions: Sessions, messages: list[Message] = RICH, title: str | None = "Small samples") -> Shown:
    return sessions.create(title, messages)


def exported(shown: Shown, name: str = "json") -> bytes:
    return "".join(exchange.export(shown, name)).encode()


def brought(sessions: Sessions, data: bytes) -> list[exchange.Brought]:
    name, found = exchange.read(data)
    return [exchange.bring_in(sessions, session, name) for session in found]


def test_an_export_says_everything(sessions: Sessions) -> None:
    """Format, version, id, times, marks, messages with members that nobody here knows, and a digest of it all."""
    shown = stored(sessions)
    sessions.edit(shown.state.id, tags=["work"], pinned=True)
    shown = sessions.show(shown.state.id)

    found = orjson.loads(exported(shown))

    assert (found["format"], found["version"], found["id"]) == ("jido-session", 1, shown.state.id)
    assert (found["created_at"], found["updated_at"]) == (shown.state.created_at, shown.state.updated_at)
    assert (found["meta"]["title"], found["meta"]["tags"], found["meta"]["pinned"]) == ("Small samples", ["work"], True)
    assert found["messages"][1]["provider"] == {"request": "r1"}
    assert found["messages"][1]["parts"][2] == {"type": "hologram", "depth": [1, 2.5, None]}
    assert found["digest"].startswith("sha256:")


def test_what_comes_in_has_a_new_id_and_says_where_from(sessions: Sessions) -> None:
    """The original stays beside it; the import names format, session and digest, and can be told by its id."""
    shown = stored(sessions)

    [one] = brought(sessions, exported(shown))

    state = sessions.show(one.session_id).state
    assert one.is_new
    assert not one.notes
    assert one.session_id != shown.state.id
    assert exchange.is_imported(one.session_id)
    assert state.messages == shown.state.messages
    assert state.title == "Small samples"
    assert dict(state.origin or {}) == {
        "kind": "import",
        "format": "json",
        "session": shown.state.id,
        "digest": orjson.loads(exported(shown))["digest"],
    }
    assert sessions.show(shown.state.id).state == shown.state


def test_the_same_content_comes_in_once(sessions: Sessions) -> None:
    """A second import, also of an export of the import, finds the first and says so."""
    data = exported(stored(sessions))
    [first] = brought(sessions, data)

    [second] = brought(sessions, data)
    [third] = brought(sessions, exported(sessions.show(first.session_id)))

    assert (second.is_new, third.is_new) == (False, False)
    assert {second.session_id, third.session_id} == {first.session_id}
    assert len(sessions.list()) == 2


def test_an_import_that_went_on_is_found_again(sessions: Sessions) -> None:
    """What was added since does not make the old file new."""
    data = exported(stored(sessions))
    [first] = brought(sessions, data)
    sessions.add(first.session_id, [said(9, text="and then?")])

    [again] = brought(sessions, data)

    assert (again.is_new, again.session_id) == (False, first.session_id)


def test_content_in_the_trash_is_not_brought_in_behind_its_back(sessions: Sessions) -> None:
    """The answer says that it is in the trash."""
    data = exported(stored(sessions))
    [first] = brought(sessions, data)
    sessions.trash(first.session_id)

    [again] = brought(sessions, data)

    assert (again.is_new, again.is_trashed, again.session_id) == (False, True, first.session_id)


def test_an_id_that_is_taken_by_something_else_is_no_obstacle(sessions: Sessions) -> None:
    """Should two contents ever share the id that is made of them, the second gets another one."""
    _, [found] = exchange.read(exported(stored(sessions)))
    taken = exchange._id_of(found.digest)
    sessions.bring_in({"title": "in the way"}, [said(1)], taken)

    one = exchange.bring_in(sessions, found, "json")

    assert one.is_new
    assert one.session_id != taken
    assert exchange.is_imported(one.session_id)


def test_a_full_store_still_knows_what_it_has(tmp_path) -> None:
    """The limit blocks what is new, with the choices, and not what is there already."""
    data = exported(stored(made(tmp_path)))
    other = exported(stored(made(tmp_path), [said(1, text="something else")]))
    sessions = made(tmp_path, limit=1)
    brought(sessions, data)

    assert not brought(sessions, data)[0].is_new
    with pytest.raises(LimitReached):
        brought(sessions, other)


def test_several_processes_bring_the_same_in_once(tmp_path) -> None:
    """Two stores on one folder, as two processes have them: the one that comes second gets the first's session."""
    data = exported(stored(made(tmp_path)))
    keys = load_or_create(str(tmp_path / "keys"))
    one, two = (made(tmp_path, FileStore(str(tmp_path / "home"), keys, 10 * 2**20)) for _ in range(2))

    [first] = brought(one, data)
    [second] = brought(two, data)

    assert (first.is_new, second.is_new) == (True, False)
    assert first.session_id == second.session_id


def test_bad_messages_are_named_and_the_good_ones_come_in(sessions: Sessions) -> None:
    """One bad item does not take the others down."""
    found = orjson.loads(exported(stored(sessions)))
    found["messages"][1]["role"] = "oracle"
    found["messages"].append({"id": "m1", "role": "user", "parts": [], "created_at": AT})
    found["messages"].append("nothing")

    [one] = brought(sessions, orjson.dumps(found))

    assert [message.id for message in sessions.show(one.session_id).state.messages] == ["m1", "m3", "m4"]
    assert [re.search(r"messages\[\d\]\S*", note)[0] for note in one.notes] == [
        "messages[1].role:",
        "messages[4].id:",
        "messages[5]:",
    ]


def test_marks_without_meaning_are_left_out(sessions: Sessions) -> None:
    """A title of spaces or a pin of text is named; the rest is kept."""
    found = orjson.loads(exported(stored(sessions)))
    found["meta"] |= {"title": "  ", "tags": ["a", "b"], "pinned": "yes", "notebook": "x\ny.ipynb", "owner": "me"}

    [one] = brought(sessions, orjson.dumps(found))

    state = sessions.show(one.session_id).state
    assert (state.tags, state.pinned, state.notebook) == (("a", "b"), False, "x y.ipynb")
    assert len([note for note in one.notes if note.startswith("Left out")]) == 2


def test_a_changed_file_is_told(sessions: Sessions) -> None:
    """A file that was edited after the export still comes in, and the user hears of it."""
    data = exported(stored(sessions)).replace(b"Because.", b"Whatever.")

    [one] = brought(sessions, data)

    assert one.is_new
    assert ["was changed" in note for note in one.notes] == [True]


def test_a_file_of_several_sessions(sessions: Sessions) -> None:
    """An array of exports is as good as one; a bad one among them is named."""
    first, second = (stored(sessions, [said(1, text=text)], text) for text in ("one", "two"))
    array = [orjson.loads(exported(first)), orjson.loads(exported(second)), {"format": "jido-session", "version": 1}]

    _, found = exchange.read(orjson.dumps(array))

    assert [session.meta["title"] for session in found] == ["one", "two"]
    assert "[2].messages" in found[1].notes[0]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no format that can be imported"),
        (b"\0" * 100, "no format that can be imported"),
        (b'{"cells": []}', "no format that can be imported"),
        (b'{"format": "jido-session"', "no JSON"),
        (b'{"format": "jido-session", "version": 2}', "upgrade jido_jupyter"),
        (b'{"format": "other", "x": "jido-session"}', "no export of a session"),
        (b'{"format": "jido-session", "version": 1, "messages": 3}', "must be an array of messages"),
        (b'{"format": "jido-session", "version": 1, "messages": [3]}', r"messages\[0\]"),
        (b'["jido-session"]', "must be a JSON object"),
        (b'{"format": "jido-session", "version": 1, "messages": ' + b"[" * 5000, "nests too deep|no JSON"),
        (b'{"format": "jido-session", "version": 1, "messages": [{"x": ' + b"[" * 250 + b"]" * 250 + b"}]}", "deeper"),
        (b'{"format": "jido-session", "n": NaN}', "no JSON number"),
        (b'{"format": "jido-session", "n": "\xff"}', "no JSON"),
        (b" " * (exchange.MAX_FILE + 1), "can be imported"),
    ],
)
def test_wrong_files_are_one_clear_sentence(data: bytes, words: str) -> None:
    """Foreign, cut, hostile and oversized files are refused, and nothing else happens."""
    with pytest.raises(InvalidRequest, match=words):
        exchange.read(data)


def test_a_wrong_format_name_is_told_with_the_right_ones(sessions: Sessions) -> None:
    """Whoever asks for a PDF learns what there is."""
    with pytest.raises(InvalidRequest, match="json, markdown, ipynb"):
        exchange.export(stored(sessions), "pdf")


text = st.text(max_size=40)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
any_parts = st.one_of(
    st.builds(text_part, text),
    st.builds(lambda content: {"type": "reasoning", "content": content}, text),
    st.builds(lambda given: {"type": "tool_call", "id": "c", "name": "f", "arguments": given}, json_values),
    st.builds(lambda given: {"type": "tool_call_response", "id": "c", "response": given}, json_values),
    st.builds(lambda given: {"type": "x", **given}, st.dictionaries(text.filter(lambda t: t != "type"), json_values)),
)
KNOWN = {"id", "role", "parts", "created_at", "status", "error", "model", "origin", "usage"}
messages = st.builds(
    Message,
    id=st.uuids().map(str),
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    parts=st.lists(any_parts, max_size=4).map(tuple),
    created_at=st.just(AT),
    status=st.sampled_from(["complete", "interrupted", "failed", "truncated"]),
    error=st.none() | st.text(min_size=1, max_size=20),
    model=st.none() | st.just("openai:gpt"),
    origin=st.none() | st.builds(Origin, st.none() | st.just("a.ipynb"), st.none(), st.none() | st.integers(0, 99)),
    usage=st.none() | st.builds(Usage, st.none() | st.integers(0, 2**40), st.none()),
    ext=st.dictionaries(text.filter(lambda t: t not in KNOWN), json_values, max_size=2),
)


@given(said=st.lists(messages, max_size=6, unique_by=lambda message: message.id), title=st.none() | st.text(min_size=1))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_export_and_import_are_symmetric(tmp_path, said: list[Message], title: str | None) -> None:
    """Any session comes back with equal messages and title, no note, and the same digest when it leaves again."""
    sessions = made(tmp_path)
    try:
        shown = sessions.create(title, said)
    except InvalidField:  # a title without a visible character
        shown = sessions.create(None, said)
    shown = sessions.show(shown.state.id)  # as it is read: a tool call without an answer has one then

    data = exported(shown)
    [one] = brought(sessions, data)

    again = sessions.show(one.session_id)
    assert again.state.messages == shown.state.messages
    assert (again.state.title, again.state.title_source) == (shown.state.title, shown.state.title_source)
    assert one.notes == ()
    assert orjson.loads(exported(again))["digest"] == orjson.loads(data)["digest"]
    for name in ("markdown", "ipynb"):
        exported(shown, name)


@given(st.binary(max_size=200).map(lambda data: b'{"format": "jido-session", "version": 1, "messages": ' + data))
@settings(max_examples=200)
def test_no_file_leads_to_anything_but_sessions_or_an_error_of_ours(data: bytes) -> None:
    """Whatever follows a right beginning, the reader answers with sessions or one sentence."""
    with contextlib.suppress(JidoError):
        exchange.read(data)


@given(json_values)
@settings(max_examples=200)
def test_no_json_leads_to_anything_but_sessions_or_an_error_of_ours(value: object) -> None:
    """The same for well-formed JSON in every place of an export."""
    for name in ("messages", "meta", "todos", "problems", "digest", "id"):
        whole = {"format": "jido-session", "version": 1, "messages": [], name: value}
        with contextlib.suppress(JidoError):
            own.read(orjson.dumps(whole))


# Nothing is live.

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "text\n\n<iframe src='https://evil'></iframe>\n\ntext",
    "![tracked](https://evil/pixel.png)",
    "\\![tracked](https://evil/pixel.png)",
    "[click](javascript:alert(1))",
    "[click](  \n javascript:alert(1))",
    "[click](&#106;avascript:alert(1))",
    "[click](java&Tab;script:alert(1))",
    "[click]\n\n[click]: javascript:alert(1)",
    "[click](data:text/html,<script>alert(1)</script>)",
    "<javascript:alert(1)>",
    "`<b>` `` `<i>` `` ```<u>```",
    "`a\n\n<script>alert(1)</script>\n\nb`",
    "```foo`bar\ntext\n```\n<script>alert(1)</script>\n```",
    "```\n<script>alert(1)</script>",
    "````\n```\n<script>x</script>\n````",
    "~~~ `\n<script>x</script>\n~~~",
    "1. a\n   ```html\n   <script>x</script>\n   ```\n2. b",
    "> ```\n> <script>x</script>\n> ```\n<script>y</script>",
    "    <script>x</script>",
    "<!-- <script>x</script> -->",
    "<![CDATA[<script>x</script>]]>",
    "a\x00<\x00script>x</script>",
    "a\r<script>x</script>\r```\r<b>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "$\\href{javascript:alert(1)}{x}$",
    "| a |\n|---|\n| <script>x</script> |",
    "```\n```\n<script>x</script>\n```",
    "`` ` ``` <script>x</script> `` ` ```",
    "\\`<script>x</script>\\`",
    "[a]: <javascript:alert(1)>\n[a]",
]


class Live(HTMLParser):
    """Collects what an HTML page would do."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        harmless = {
            "p",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "em",
            "strong",
            "code",
            "pre",
            "ul",
            "ol",
            "li",
            "blockquote",
        }
        harmless |= {"hr", "br", "a", "table", "thead", "tbody", "tr", "th", "td", "s", "del"}
        if tag not in harmless:
            self.found.append(tag)
        for name, value in attrs:
            if name == "href" and not re.match(r"(https?://|mailto:)", value or "", re.IGNORECASE):
                self.found.append(f"{name}={value}")
            if name.startswith("on") or name in ("src", "style"):
                self.found.append(name)

    def handle_comment(self, data: str) -> None:
        self.found.append("comment")


def pages(markdown: str) -> Iterator[str]:
    """Return what parsers make of Markdown that pass HTML and any link: one of CommonMark, and that of nbconvert."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    yield parser.render(markdown)
    yield mistune.create_markdown(escape=False, plugins=["table", "strikethrough"])(markdown)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_hostile_is_live(hostile: str) -> None:
    """Scripts, trackers and links to code are text, in parsers that pass everything."""
    for page in pages(inert(hostile)):
        assert Live(page).found == []


PIECES = [
    "<script>", "</script>", "<b onclick=x>", "<!--", "`", "``", "```", "```js\n", "~~~", "\n", "\n\n", "    ", "> ",
    "- ", "1. ", "a", " ", "![", "[", "](", "javascript:", "https://x", ")", "]: ", "&lt;", "&#60;", "\\", "|", "$", "<", "!",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
@settings(max_examples=600, deadline=None)
def test_no_mixture_of_markdown_is_live(hostile: str) -> None:
    """However the pieces of Markdown and HTML are put together."""
    for page in pages(inert(hostile)):
        assert Live(page).found == []


@pytest.mark.parametrize(
    "harmless",
    [
        "a < b and c > d, AT&T, 5 && 6",
        "# Title\n\n- one\n- **two**\n\n> quoted",
        "see [the docs](https://example.org/a?b=1&c=2) or `df.head()`",
        "$x^2 < y$ and ~~gone~~",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        '```python\nif a < b:\n    print("<b>", "![x](y)")\n```',
    ],
)
def test_what_is_harmless_stays_as_it_is(harmless: str) -> None:
    """An answer reads as it was written."""
    assert inert(harmless) == harmless


def test_prose_that_looks_like_a_link_reads_as_it_was_said() -> None:
    """Brackets and a colon are spelled otherwise, and look the same."""
    page = next(pages(inert("arr[0]: 3, f(x)[1](y)")))

    assert page == "<p>arr[0]: 3, f(x)[1](y)</p>\n"


def test_code_is_shown_as_it_was_said() -> None:
    """In fences, in lists, indented, and inline: what a reader sees is what was written."""
    page = next(pages(inert("1. do\n   ````html\n   <b>```</b>\n   ````\n\nand `x<y>&amp;z`\n\n    <i>")))

    assert "&lt;b&gt;```&lt;/b&gt;" in page
    assert "<code>x&lt;y&gt;&amp;amp;z</code>" in page
    assert "&lt;i&gt;" in page


def test_a_fence_holds_whatever_is_in_it() -> None:
    """Backticks inside make the fence longer, and no language breaks out of its line."""
    assert fenced("```\n````", "py\n<script>") == "`````py\n```\n````\n`````"


def test_many_backticks_take_no_long_time() -> None:
    """Runs of many lengths, none of which closes another, cost a walk and not a search each."""
    assert len(inert(" ".join("`" * count for count in range(1, 1500)))) > 1_000_000


def test_a_notebook_is_valid(sessions: Sessions) -> None:
    """nbformat takes it; each message is a cell, and questions stand in theirs letter for letter."""
    data = exported(stored(sessions), "ipynb")

    book = nbformat.reads(data.decode(), as_version=4)
    nbformat.validate(book)

    assert (book.nbformat, book.nbformat_minor) == (4, 5)
    assert [cell.cell_type for cell in book.cells] == ["markdown", "code", "code", "markdown", "markdown", "markdown"]
    assert book.cells[2].source == "%%jido\nWhy `n<p`?"
    assert book.cells[2].metadata.jido_jupyter.message == "m1"
    assert "Because." in book.cells[3].source
    assert "hologram" in book.cells[3].source
    assert "The server said no." in book.cells[5].source


def test_an_empty_session_is_a_valid_notebook(sessions: Sessions) -> None:
    """Without messages only the title stands there."""
    book = nbformat.reads(exported(stored(sessions, []), "ipynb").decode(), as_version=4)

    nbformat.validate(book)
    assert len(book.cells) == 1


@pytest.mark.parametrize("name", ["markdown", "ipynb"])
def test_nothing_in_an_export_is_live(sessions: Sessions, name: str) -> None:
    """Hostile text in every place that an export shows: title, tag, model, notebook, answer, thought, tool, error."""
    evil = "<script>alert(1)</script>"
    parts = (
        text_part(evil),
        {"type": "reasoning", "content": evil},
        {"type": "tool_call", "id": "c", "name": evil, "arguments": {"x": evil}},
        {"type": "tool_call_response", "id": "c", "response": f"```\n{evil}"},
        {"type": evil},
    )
    shown = sessions.bring_in(
        {"title": evil, "tags": [evil], "notebook": evil},
        [
            Message(f"m{role}", role, parts, AT, status="failed", error=evil, model=evil)
            for role in ("user", "assistant")
        ],
    )

    data = exported(shown, name).decode()
    sources = [data]
    if name == "ipynb":
        sources = [cell.source for cell in nbformat.reads(data, as_version=4).cells if cell.cell_type == "markdown"]

    assert [Live(page).found for source in sources for page in pages(source)] == [[]] * 2 * len(sources)


def test_a_long_tool_answer_is_cut_in_what_people_read(sessions: Sessions) -> None:
    """It says so, and the JSON export has all of it."""
    response = {"type": "tool_call_response", "id": "c", "response": "x" * 50_000}
    shown = stored(sessions, [Message("m1", "tool", (response,), AT)])

    assert "30,000 characters more are in the JSON export" in exported(shown, "markdown").decode()
    assert b"x" * 50_000 in exported(shown)


def test_a_cut_emoji_does_not_keep_a_session_in(sessions: Sessions) -> None:
    """Half a character, as some streams leave it, is replaced; everything else leaves."""
    shown = stored(sessions, [said(1, text="half \ud83d of it")])

    for name in exchange.EXPORTS:
        assert "half" in exported(shown, name).decode()
