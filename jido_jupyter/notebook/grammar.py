"""Everything that ``%jido`` and ``%%jido`` take, as a table: what is parsed, what ``--help`` says, what Tab offers.

A verb that changes a session changes the open one, or with ``--session <target>`` another. Where nothing else can be meant by
its words, they are the target: ``%jido pin 3`` is ``%jido pin --session 3``.
"""

from __future__ import annotations

from typing import Final

from jido_jupyter.notebook.options import Option, Verb, count, count_or_none, one_of

FORMATS: Final = ("json", "markdown", "ipynb")

_SESSION: Final = Option("--session", "this session instead of the open one", "<target>", "target")
_YES: Final = Option("--yes", "do it without asking")
_FORCE: Final = Option("--force", "write over a file that is there already")
_AT: Final = Option("--at", "a message: its number in '%jido show', or its id", "<message>", "message")
_NO_TOOLS: Final = Option("--no-tools", "the model may use no tools in this turn")
_ONE_MODEL: Final = Option("--model", "ask this model, in this turn only", "<provider:name>", "model")

_VERBS: Final = (
    Verb("status", "What is open here, and all verbs.", "reading"),
    Verb("help", "What a verb does, or all verbs.", "reading", "[verb]", "verb", example="%jido help resume"),
    Verb(
        "new",
        "Start a session; the one before stays stored.",
        "opening",
        "[title]",
        "title",
        example='%jido new "Churn model"',
    ),
    Verb(
        "list",
        "The stored sessions, newest turn first; with words, those that hold them.",
        "reading",
        "[words]",
        "query",
        (
            Option("--limit", "how many to show (50)", "<count>", read=count),
            Option("--all", "show all of them"),
        ),
        "%jido list churn tag:work is:pinned after:2026-11-01",
    ),
    Verb(
        "search",
        "Find sessions by what was said, best match first.",
        "reading",
        "<words>",
        "query",
        (Option("--limit", "how many to show (20)", "<count>", read=count),),
        '%jido search overfit* "test set"',
    ),
    Verb(
        "show",
        "Read a session without opening it; without a target, the open one.",
        "reading",
        "[target]",
        "target",
        (_SESSION, Option("--all", "all messages, not only the newest 50")),
        "%jido show 2",
    ),
    Verb("save", "Make sure that everything is on disk; each turn is saved by itself.", "opening"),
    Verb(
        "resume",
        "Open a stored session and go on with it; without a target, that of this notebook.",
        "opening",
        "[target]",
        "target",
        (
            _SESSION,
            Option("--take-over", "take it from the process that has it open"),
            Option("--trust", "seal it anew when it is not verified"),
        ),
        "%jido resume 1",
    ),
    Verb(
        "rebuild", "Put the cells below that bring back what a resumed session knew and this kernel lacks.", "opening"
    ),
    Verb(
        "rename",
        "Give a session a title.",
        "changing",
        "<title>",
        "title",
        (_SESSION,),
        '%jido rename "Churn model" --session 3',
    ),
    Verb(
        "tag",
        "Add tags to a session; without one, show them.",
        "changing",
        "[tags]",
        "tag",
        (_SESSION,),
        "%jido tag work ml",
    ),
    Verb("untag", "Take tags off a session.", "changing", "<tags>", "tag", (_SESSION,), "%jido untag work"),
    Verb("pin", "Keep a session from every cleanup.", "changing", "[target]", "target", (_SESSION,), "%jido pin 3"),
    Verb("unpin", "Undo a pin.", "changing", "[target]", "target", (_SESSION,), "%jido unpin 3"),
    Verb("archive", "Mark a session as done with.", "changing", "[target]", "target", (_SESSION,), "%jido archive 3"),
    Verb("unarchive", "Undo that.", "changing", "[target]", "target", (_SESSION,), "%jido unarchive 3"),
    Verb(
        "fork",
        "Store a copy that goes its own way; the session stays as it is.",
        "opening",
        "[target]",
        "target",
        (_SESSION, _AT, Option("--open", "go on in the copy")),
        "%jido fork --at 4 --open",
    ),
    Verb(
        "rewind",
        "Take back the last question and its answer; they stay in the session's log.",
        "changing",
        "",
        "",
        (
            _SESSION,
            Option("--turns", "take back so many questions (1)", "<count>", read=count),
            _AT,
        ),
        "%jido rewind --turns 2",
    ),
    Verb(
        "retry",
        "Take back the last question and its answer, and ask it again.",
        "asking",
        options=(_ONE_MODEL, _NO_TOOLS),
        example="%jido retry",
    ),
    Verb(
        "continue",
        "Let the assistant go on from where it stopped.",
        "asking",
        options=(_ONE_MODEL, _NO_TOOLS),
        example="%jido continue",
    ),
    Verb("close", "Give the open session up; it stays stored.", "opening"),
    Verb(
        "delete",
        "Move a session to the trash, from where 'restore' brings it back.",
        "opening",
        "<target>",
        "target",
        (_SESSION,),
        "%jido delete 4",
    ),
    Verb(
        "restore",
        "Bring a session back from the trash.",
        "opening",
        "<id>",
        "trashed",
        example="%jido restore c48mnczy",
    ),
    Verb("trash", "What is in the trash.", "reading"),
    Verb(
        "export",
        "Write a session to a file; without a target, the open one.",
        "files",
        "[target]",
        "target",
        (
            _SESSION,
            Option("--format", "json (complete), markdown or ipynb", "<format>", "format", one_of(*FORMATS)),
            Option("--output", "the file, or a folder; '-' shows it here", "<path>", "file"),
            _FORCE,
        ),
        "%jido export 2 --output churn.md",
    ),
    Verb(
        "import",
        "Bring sessions in from a file, under new ids.",
        "files",
        "<file>",
        "file",
        example="%jido import churn.json",
    ),
    Verb("todos", "What is still to do in a session.", "reading", "[target]", "target", (_SESSION,), "%jido todos"),
    Verb(
        "summary",
        "The summary that stands for earlier messages when a model is asked; 'undo' takes it away.",
        "changing",
        "[undo]",
        "summary",
        example="%jido summary undo",
    ),
    Verb(
        "log",
        "The session as Markdown: in a cell below, in many, or with --output in a file.",
        "files",
        "[target]",
        "target",
        (
            _SESSION,
            Option("--cells", "a cell below for each question and answer, and for code that ran"),
            Option("--markdown", "as text, here"),
            Option("--output", "in this file", "<path>", "file"),
            _FORCE,
        ),
        "%jido log --output report.md",
    ),
    Verb(
        "where",
        "Which session made a cell; without a cell id, which cells of this notebook were made in which sessions.",
        "reading",
        "[cell id]",
        "cell",
        example="%jido where",
    ),
    Verb(
        "cleanup",
        "Move old sessions to the trash, after a preview.",
        "upkeep",
        options=(
            Option("--days", "age of the last turn (JIDO_CLEANUP_DAYS, or 30)", "<days>", read=count),
            Option("--keep", "so many of the newest stay (10)", "<count>", read=count_or_none),
            _YES,
        ),
        example="%jido cleanup --days 60",
    ),
    Verb(
        "verify",
        "Check that sessions are as they were saved: one, or all.",
        "upkeep",
        "[target]",
        "target",
        (_SESSION,),
        "%jido verify 2",
    ),
    Verb("doctor", "Check folders, keys, locks, index, space and settings; it changes nothing.", "upkeep"),
    Verb(
        "limits",
        "How much room is left: sessions, open ones, size, resumes.",
        "upkeep",
        "[target]",
        "target",
        (_SESSION,),
    ),
    Verb(
        "model",
        "Show or choose what answers.",
        "choosing",
        "[provider:name]",
        "model",
        (
            Option("--here", "in the open session only; without a model, as everywhere else again"),
            Option("--list", "what could be used now"),
        ),
        "%jido model ollama:llama3.2 --here",
    ),
    Verb(
        "watch",
        "Record what another assistant says: a list of messages, or a chat that holds one; alone, what is followed.",
        "choosing",
        "[variable]",
        "variable",
        (Option("--title", "of the session that is made for it", "<title>"), Option("--stop", "follow it no more")),
        "%jido watch messages",
    ),
    Verb("panel", "The same with buttons: list, ask, save, resume.", "choosing"),
)

VERBS: Final = {verb.name: verb for verb in _VERBS}

ASK: Final = Verb(
    "",
    "Ask the question in the lines below.",
    "asking",
    "[title]",
    "title",
    (
        _ONE_MODEL,
        Option("--new", "in a new session; words beside it are its title"),
        Option("--session", "in this session, which is resumed", "<target>", "target"),
        _NO_TOOLS,
        Option(
            "--attach",
            "let a preview of this variable go with the question",
            "<variable>",
            "variable",
            is_repeatable=True,
        ),
    ),
    "%%jido --attach df --model ollama:llama3.2",
    "%%jido",
)
