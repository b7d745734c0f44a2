"""Each verb in a real shell, on a store of its own."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from jido_jupyter.core.messages import Message, Origin, text_part
from jido_jupyter.core.records import Owner
from tests.support.magic_shell import MagicShell, Shown


def said(number: int, text: str = "said") -> Message:
    return Message(f"m{number}", "user", (text_part(f"{text} {number}"),), "2026-11-22T10:00:00.000Z")


def titles(shell: MagicShell, query: str = "") -> list[str]:
    return [summary.title for summary in shell.kernel.sessions.list(query)]


def test_the_status_is_a_table(shell: MagicShell) -> None:
    """Session, what answers, where all of it is kept, and the verbs; the same as text."""
    none = shell.run("")
    session = shell.kernel.new("A <b>title</b>")
    session.record("user", "Hi")
    open_here = shell.run("")
    session.live.close()  # as a process that takes it over does
    lost = shell.run("")

    assert rows(none) == [
        ["session", "No session is open here. '%%jido' and a question below it start one."],
        ["answers come from", "guide:jido-guide-1"],
        ["sessions are kept in", str(shell.home / "jido")],
    ]
    assert rows(open_here)[0] == ["session", f"{session.id[:8]} A <b>title</b>"]
    assert rows(open_here)[1] == ["messages", "1, saved"]
    assert rows(lost)[1] == ["messages", f"1; closed or taken over elsewhere: '%jido resume {session.id[:8]}' opens it"]
    for shown in (none, open_here, lost):
        words = [" ".join(line.split()) for line in shown.plain.splitlines()]
        assert all(" ".join(row) in words for row in rows(shown))
        assert "%jido resume [target]" in shown.plain
        assert "%jido resume [target]" in shown.html.partition("<summary>All verbs</summary>")[2]
    assert "%jido resume [target]" in shell.run("help").html


def rows(shown: Shown) -> list[list[str]]:
    """Return the text of the cells of a table of two columns, in front of what is folded."""
    found = re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td></tr>", shown.html.partition("<details>")[0])
    return [[unescape(re.sub("<[^>]+>", "", cell)) for cell in row] for row in found]


def test_rename_with_an_apostrophe_and_quotes(shell: MagicShell) -> None:
    """The open session by default, another by --session; the title is what was typed."""
    shell.run('new "First one"')
    shell.run("new Second")

    shell.run("rename It's the second")
    shell.run('rename "It is the first" --session "First one"')

    assert set(titles(shell)) == {"It's the second", "It is the first"}


def test_tags_are_added_shown_and_taken_off(shell: MagicShell) -> None:
    """tag adds, untag removes, both say what there is; an unknown tag is named."""
    shell.run("new Tagged")

    shell.run('tag work "two words"')
    shell.run("tag ml")
    assert "#work #two words #ml" in shell.run("tag").plain
    shell.run("untag WORK")

    assert titles(shell, 'tag:"two words"') == ["Tagged"]
    assert titles(shell, "tag:work") == []
    assert "has no tag 'nope'" in shell.refused("untag nope")


@pytest.mark.parametrize(
    ("verb", "undo", "query"), [("pin", "unpin", "is:pinned"), ("archive", "unarchive", "is:archived")]
)
def test_marks_by_word_and_by_option(shell: MagicShell, verb: str, undo: str, query: str) -> None:
    """A target may be a word or --session; the list shows the mark."""
    shell.run("new Marked")
    shell.run("new Other")

    shell.run(f"{verb} Marked")
    assert titles(shell, query) == ["Marked"]
    assert verb in shell.run("list").plain
    shell.run(f"{undo} --session Marked")

    assert titles(shell, query) == []


def test_a_session_that_is_open_elsewhere_is_left_alone(shell: MagicShell) -> None:
    """Changing it is refused with the way on."""
    theirs = shell.kernel.sessions.new(Owner("kernel", "elsewhere", 1, "their.ipynb"), "Theirs")

    refused = shell.refused("rename Mine --session Theirs")

    assert "is open in their.ipynb" in refused
    assert theirs.state.title == "Theirs"


def test_list_takes_the_query_language(shell: MagicShell) -> None:
    """Words, phrases and filters; numbers only where they are targets; one that fits nothing says so."""
    shell.run("new Churn model")
    shell.run("new Other")

    found = shell.run("list churn").plain

    assert "Churn model" in found
    assert "Other" not in found
    assert not re.search(r"^1 ", found, re.MULTILINE)
    assert re.search(r"^2 +\w{8} +Churn model", shell.run("list").plain, re.MULTILINE)
    assert "None of 2 sessions fits 'zebra'" in shell.run("list zebra").plain
    assert "write is: and one of" in shell.refused("list is:green")


def test_a_list_is_cut_off_and_says_so(shell: MagicShell) -> None:
    """--limit shows as many, --all all; the rest is announced."""
    for number in range(4):
        shell.run(f"new Number {number}")

    few = shell.run("list --limit 2").plain

    assert few.count("Number") == 2
    assert "newest 2" in few
    assert shell.run("list --all").plain.count("Number") == 4


def test_ids_are_selected_by_one_click(shell: MagicShell) -> None:
    """The short id stands in a code element of its own."""
    session = shell.kernel.new("One")

    assert f"<code class='jido-id'>{session.id[:8]}</code>" in shell.run("list").html


def test_search_marks_the_words(shell: MagicShell) -> None:
    """Best match first, the words stand out, and what was said is escaped."""
    shell.kernel.new("Plain").record("user", "why does the <b>model</b> overfit so badly?")

    found = shell.run("search overfit*")

    assert "<mark>overfit</mark>" in found.html
    assert "&lt;b&gt;model&lt;/b&gt;" in found.html
    assert "overfit so badly" in found.plain
    assert "None of 1 session fits" in shell.run("search zebra").plain


def test_a_long_session_shows_its_newest_messages(shell: MagicShell) -> None:
    """50 of them, with the number of earlier ones and how to see them."""
    shell.kernel.new("Long").live.record([said(number) for number in range(1, 61)])

    newest, whole = shell.run("show").plain, shell.run("show 1 --all").plain

    assert "10 earlier: '%jido show" in newest
    assert "said 10\n" not in newest
    assert "11. You: said 11\n" in newest
    assert "1. You: said 1\n" in whole


def test_rewind_goes_back_by_turns_and_to_a_message(shell: MagicShell) -> None:
    """The last turn by default; --turns more of them; --at a message by its number; the log keeps all."""
    live = shell.kernel.new("Rewound").live
    live.record([said(number) for number in range(1, 6)])

    assert "goes on after message 4; 1 message taken back" in shell.run("rewind").plain
    assert "goes on after message 2; 2 messages" in shell.run("rewind --turns 2").plain
    shell.run("rewind --at 1")

    assert [message.id for message in live.state.messages] == ["m1"]
    assert "said 5" in (shell.home / "jido" / "sessions" / f"{live.id}.jsonl").read_text()
    assert "write a number from 1 to 1" in shell.refused("rewind --at 9")
    assert "Give one of them" in shell.refused("rewind --at 1 --turns 1")


def test_rewind_to_the_start_survives_a_restart(shell: MagicShell) -> None:
    """Nothing is left of the conversation, and the next load says so too, without a repair."""
    live = shell.kernel.new("Empty again").live
    live.record([said(1)])

    shell.run("rewind")
    shell.run("close")

    assert "begins anew" not in shell.run("show 1").plain
    assert "Nothing was said yet" in shell.run("show 1").html
    assert "went back by" not in shell.refused("rewind --session 1")
    assert shell.kernel.sessions.show(live.id).summary.problems == ()


def test_fork_copies_up_to_a_message(shell: MagicShell) -> None:
    """The copy is stored and told; --open goes on in it; the original stays."""
    shell.kernel.new("Original").live.record([said(1), said(2), said(3)])

    told = shell.run("fork --at 2").plain
    shell.run("fork Original --open")

    assert "is a copy with 2 messages" in told
    assert shell.kernel.opened().title == "Original (fork)"
    assert len(shell.kernel.opened().messages) == 3
    assert sorted(titles(shell)) == ["Original", "Original (fork)", "Original (fork)"]


def test_delete_trash_and_restore(shell: MagicShell) -> None:
    """The open session is closed first; the trash lists it; restore brings it back."""
    session = shell.kernel.new("Gone")

    shell.run("delete Gone")
    assert "Gone" in shell.run("trash").plain
    assert "No session is open here" in shell.run("").plain
    shell.run(f"restore {session.id[:8]}")

    assert titles(shell) == ["Gone"]
    assert "The trash is empty" in shell.run("trash").plain


def test_export_and_import(shell: MagicShell, tmp_path: Path) -> None:
    """A file of its own name by default, the format by its ending; what is there is left alone; the content comes in once."""
    shell.kernel.new("Churn model").live.record([said(1)])

    shell.run("export")
    shell.run("export --output churn.md")
    refused = shell.refused("export --output churn.md")
    shell.run("export --output churn.md --force")
    [exported] = tmp_path.glob("churn-model-*.json")
    imported, again = shell.run(f"import {exported.name}").plain, shell.run(f'import "{exported}"').plain

    assert json.loads(exported.read_text())["format"] == "jido-session"
    assert "# Churn model" in (tmp_path / "churn.md").read_text()
    assert "was left alone" in refused
    assert "Imported: i" in imported
    assert "Here already" in again
    assert '"messages"' in shell.run("export --output -").plain
    assert "cannot be read" in shell.refused("import nowhere.json")
    assert "cannot be written" in shell.refused("export --output /nowhere/at/all.json")


def test_log_makes_a_cell_text_or_a_file(shell: MagicShell, tmp_path: Path) -> None:
    """One Markdown cell in a notebook, in which nothing of a model's is live."""
    shell.kernel.new("Hostile").record("assistant", "<script>x</script> **bold**")

    shell.run("log")
    text = shell.run("log --markdown").plain
    shell.run("log --output log.md")

    [cell] = shell.next_cells
    assert cell.startswith("%%markdown\n# Hostile")
    assert "<script" not in cell
    assert "**bold**" in text
    assert (tmp_path / "log.md").read_text() == text + "\n"


def test_todos_are_shown(shell: MagicShell) -> None:
    """Each with its status; none is said."""
    live = shell.kernel.new("Work").live
    assert "nothing to do" in shell.run("todos").plain

    live.set_todos([{"text": "Fix <b>it</b>", "status": "open"}])

    assert "open    Fix <b>it</b>" in shell.run("todos 1").plain
    assert "<b>it" not in shell.run("todos").html


def test_a_summary_is_shown_and_undone(shell: MagicShell) -> None:
    """What stands for which messages; undo takes it away; without one it says so."""
    live = shell.kernel.new("Long").live
    live.record([said(1), said(2), said(3)])
    live.summarise("They talked.", "m2")

    shown = shell.run("summary").plain
    shell.run("summary undo")

    assert "messages 1 to 2" in shown
    assert "They talked." in shown
    assert live.state.summary is None
    assert "No summary" in shell.run("summary undo").plain
    assert "knows 'undo', not 'undoo'" in shell.refused("summary undoo")


def test_cleanup_shows_and_asks(shell: MagicShell) -> None:
    """Nothing goes without a yes; where nobody can answer, --yes is named."""
    old = Message("o1", "user", (text_part("old"),), "2020-01-01T00:00:00.000Z")
    shell.kernel.sessions.bring_in({}, [old])

    asked = shell.answers("n")
    denied = shell.run("cleanup --keep 0").plain
    shell.answers("y")
    done = shell.run("cleanup --keep 0 --days 60").plain

    assert "1 session(s) would go" in denied
    assert "Nothing was moved; '%jido cleanup --yes' does it." in denied
    assert asked == ["Move 1 session(s) to the trash? [y/N] "]
    assert "1 session(s) went" in done
    assert titles(shell, "is:trashed") == ["old"]


def test_verify_and_doctor(shell: MagicShell) -> None:
    """Sound sessions are counted, damaged ones named; doctor has a line for each check."""
    shell.run("new Sound")
    assert "1 of 1 sessions are sound" in shell.run("verify").plain
    (shell.home / "jido" / "sessions" / "bad.jsonl").write_bytes(b"\0" * 10)

    verified, looked = shell.run("verify").plain, shell.run("doctor").plain

    assert "1 of 2 sessions are sound" in verified
    assert "bad: " in verified
    assert "1 of 1" in shell.run("verify Sound").plain
    assert re.search(r"ok +keys", looked)


def test_limits_count_without_being_spent(shell: MagicShell) -> None:
    """Looking at the limits changes none of them; a resume does."""
    session = shell.kernel.new("One")
    shell.run("close")
    for _ in range(9):
        shell.run("limits One")

    before = shell.run("limits One").plain
    shell.run("resume One")
    after = shell.run("limits").plain

    assert re.search(r"stored sessions +1 +100", before)
    assert re.search(rf"resumes of {session.id[:8]} +5 left", before)
    assert re.search(rf"resumes of {session.id[:8]} +4 left", after)
    assert re.search(r"open sessions +1 +10", after)


def test_the_model_is_shown_listed_and_chosen(shell: MagicShell) -> None:
    """For all sessions, or with --here for this one."""
    shell.run("new One")

    assert "guide:jido-guide-1 (nothing else is configured" in shell.run("model").plain
    assert "ollama:x (you chose it with" in shell.run("model ollama:x").plain
    assert "openai:y (you chose it for this session)" in shell.run("model openai:y --here").plain
    assert "ollama:x (you chose it with" in shell.run("model --here").plain
    assert "guide:jido-guide-1" in shell.run("model --list").plain


def test_another_assistants_chat_is_followed(shell: MagicShell) -> None:
    """watch records a list of messages; alone it says what is followed; --stop ends it."""
    shell.ip.user_ns["chat"] = [{"role": "user", "content": "asked elsewhere"}]

    followed = shell.run("watch chat").plain
    listed = shell.run("watch").plain
    stopped = shell.run("watch chat --stop").plain

    assert "chat is followed: 1 message in session" in followed
    assert "chat is followed" in listed
    assert "not followed any more" in stopped
    assert titles(shell) == ["asked elsewhere"]
    assert "'chat' is not followed" in shell.refused("watch chat --stop")


def test_help_and_the_list_of_verbs(shell: MagicShell) -> None:
    """help <verb>, <verb> --help and --help; a typing error is guessed."""
    assert "[--take-over]" in shell.run("help resume").plain
    assert "[--take-over]" in shell.run("resume 1 --help").plain
    assert "--attach <variable>" in shell.run("help %%jido").plain
    assert "%jido archive [target]" in shell.run("--help").plain
    assert "Did you mean '%jido resume'?" in shell.refused("help resum")
    assert "--attach <variable>" in shell.ask("\n", "--help").plain


def test_control_characters_reach_no_terminal(shell: MagicShell) -> None:
    """An escape sequence in what was said is shown as a sign of its own."""
    shell.kernel.new("T").record("assistant", "red: \x1b[31m, reversed: \u202e")

    for line in ("show", "search red", "list", "log --markdown"):
        assert not re.search("[\x1b\u202e]", shell.run(line).plain)


def test_where_tells_sessions_of_cells(shell: MagicShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a cell it is this notebook's; a cell by its id; nothing found says how far it looked."""
    assert "Name a cell: '%jido where <cell id>'" in shell.refused("where")
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/work.ipynb")
    session = shell.kernel.new("Churn")
    origin = Origin("/home/me/work.ipynb", "abc-1", 7)
    session.live.record([Message("q", "user", (text_part("how many?"),), session.live.now(), origin=origin)])

    for line in ("where", "where abc"):
        shown = shell.run(line).plain
        assert f"{session.id[:8]}  Churn  message 1 in abc-1 [7] 'how many?'" in shown
    assert "1 of 1 session looked at" in shell.run("where zzz").plain


def test_resume_without_a_target_takes_the_session_of_the_notebook(
    shell: MagicShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest one that went on here; without any, it says what to do."""
    assert "'%jido resume 1'" in shell.refused("resume")
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/work.ipynb")
    shell.run("new Here")
    shell.run("close")
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/other.ipynb")
    shell.run("new Elsewhere")
    shell.run("close")
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/work.ipynb")

    shell.run("resume")

    assert shell.kernel.opened().title == "Here"


def test_rebuild_puts_cells_below(shell: MagicShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they ran, for the user to look at first; where nothing is missing it says so."""
    assert "No cell needs to run again" in shell.run("rebuild").plain
    monkeypatch.setattr(shell.kernel, "rebuild", lambda: ("x = 1", "y = x"))

    told = shell.run("rebuild").plain

    assert shell.next_cells == ["x = 1\n\ny = x"]
    assert "2 cells of this session's stand below" in told


def test_a_list_tells_where_sessions_are_open(shell: MagicShell) -> None:
    """A list marks what is open here and what is elsewhere."""
    shell.run("new Mine")
    shell.kernel.sessions.new(Owner("kernel", "elsewhere", 1, "/x/their.ipynb"), "Theirs")

    listed = shell.run("list").plain

    assert re.search(r"Mine .*open here", listed)
    assert re.search(r"Theirs .*open in their.ipynb", listed)
