"""What the built-in guide says: help for newcomers, picked by keywords, the same words for the same question.

The guide is no language model and says so in each answer. It stands in until a model is connected, so that asking,
saving, listing and resuming can be tried without a key or a network.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from operator import itemgetter
from typing import Final

MODEL_NAME: Final = "jido-guide-1"
MODEL_ID: Final = f"guide:{MODEL_NAME}"

_DISCLAIMER: Final = "*I am the built-in guide, not a language model: I only know how jido works.*"

_DEFAULT: Final = """\
Welcome! Everything said here is kept, also when the kernel dies. You can ask me about:

- **saving**, and **resuming** after a restart
- **finding** your sessions: the list, the **panel** and the **sidebar**
- going **back**: retry, rewind and fork
- connecting a real **model**, and the **tools** it may use
- **keys**, the **limits**, and **where** the files live

Try `%%jido` with a question in a cell, then `%jido list`. `%jido help` lists all verbs. To get real answers, connect a
language model: ask me how."""

_SAVING: Final = """\
**Nothing to do: every turn is saved when its answer ends.** While an answer streams, its text is written about once
a second, so even a killed kernel loses little.

- `%jido save` writes the session now and says what was saved.
- `%jido close` gives it up; it stays stored and can be resumed anywhere.
- `%jido rename` gives the session a title that you find again."""

_RESUMING: Final = """\
**After a restart, go on where you were:**

1. `%load_ext jido_jupyter`
2. `%jido resume` takes up the session of this notebook; `%jido list` shows all of them with a number each, and
   `%jido resume 1` opens the first one. An id or the beginning of a title works too.
3. You are told which variables and cells are missing or changed; `%jido rebuild` puts the cells below that bring them
   back."""

_FINDING: Final = """\
**To find a session again:**

- `%jido list` shows the sessions, newest first; `%jido list words` those that hold the words.
- `%jido search words` finds what was said, best match first.
- `%jido show 1` reads a session without opening it; `%jido where` tells which session made a cell.
- `%jido panel` puts the list and a chat into the notebook; the jido **sidebar** shows the same beside it.

`%jido rename`, `%jido tag` and `%jido pin` make a session easy to find."""

_CONNECTING: Final = """\
**To get answers from a language model**, choose one with `%jido model provider:name`; `%jido model --list` shows what
there is:

- *On your own machine*: `ollama:`, `lmstudio:` or `vllm:`. Nothing leaves your machine.
- *Elsewhere*: `openai:`, `anthropic:`, `google:`, `openrouter:` or `bedrock:`, with its key, such as
  `OPENAI_API_KEY`, in the environment before you start Jupyter, or in the keyring of your system.
- *Any OpenAI-compatible server*: `openai:` and `OPENAI_BASE_URL`.

`JIDO_MODEL=openai:<model name>` decides for all. Keep keys out of notebook cells: they would be saved there."""

_GOING_BACK: Final = """\
**Nothing that you take back is lost; it stays in the session's log.**

- `%jido retry` asks the last question again, `%jido continue` lets an answer go on that stopped.
- `%jido rewind` takes the last question and its answer back.
- `%jido fork` stores a copy that goes its own way; the session stays as it is.
- A long conversation is summed up for the model; `%jido summary` shows that, `%jido summary undo` takes it away."""

_TOOLS: Final = """\
**A model may look, and act only when you allow it.**

- It can list your variables, read the notebook's cells and keep a list of todos (`%jido todos`).
- It can run code in your kernel: the code is shown first and you are asked each time. Where nobody can answer, it is
  denied.
- Every call and its result is part of the session.

`%%jido --no-tools` asks without them. I can look too: ask me which variables there are."""

_KEYS: Final = """\
**Keys and passwords that are known by their looks are not stored.** They are replaced by words such as
`[redacted: OpenAI key]` in questions, answers and what tools say, and the count is shown. This is best effort: a secret
that looks like an ordinary word stays.

`JIDO_REDACT=off` stores everything as it comes. Keys for models come from the environment or the keyring of your
system, and are never part of a session."""

_LIMITS: Final = """\
**The limits protect your data; reaching one never deletes anything.**

- 5 resumes of a session in any 60 seconds; wait as long as the message says, then try again
- 100 stored sessions
- 10 MiB for one session

Each can be changed in the environment, for example `JIDO_MAX_SESSIONS`."""

_FILES: Final = """\
**Your sessions are plain files on your own disk**, one `.jsonl` file each, readable by you only.

They live in the folder `jido/sessions` inside Jupyter's data folder (`jupyter --data-dir` prints it). Set `JIDO_HOME`
to keep them elsewhere. Every line of them is sealed: what was damaged or changed is told, and never hides the rest."""

# Keywords and text; the topic with the most keywords in the question answers, at equal counts the earlier one.
_TOPICS: Final[tuple[tuple[str, str], ...]] = (
    ("limit limits limited quota maximum many rate often minute minutes 429", _LIMITS),
    (
        "model models ollama openai llm gpt claude key api connect configure provider server real "
        "jido_model openai_base_url openai_api_key",
        _CONNECTING,
    ),
    ("retry rewind fork undo back branch continue summary summarise long again", _GOING_BACK),
    ("tool tools run code consent allow denied permission variable variables cells todos", _TOOLS),
    ("secret secrets password passwords redact redacted redaction private keys", _KEYS),
    ("where file files folder directory path disk stored jido_home location live", _FILES),
    (
        "resume resuming restart restarted restarting continue reopen kernel crash crashed died restore",
        _RESUMING,
    ),
    (
        "list search searching find finding panel sidebar show browse sessions title tag pin overview conversation",
        _FINDING,
    ),
    ("save saves saved saving export import keep kept lose lost durable backup", _SAVING),
)

# Tools that only look, and what a question says that is plainly about what they show.
_LOOKS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("variables", re.compile(r"\b(what|which|list|show|see)\b.*\bvariables\b")),
    ("notebook", re.compile(r"\b(what|which|list|show|see|read)\b.*\b(this|the|my) (notebook|cells?)\b")),
    ("todos", re.compile(r"\b(what|which|list|show|see)\b.*\b(todos?|to-dos?)\b")),
)
_HOW_TO: Final = re.compile(r"\bhow\b|\bsave|\bresum")  # asked about jido, not about what is there

_ABOUT_EARLIER: Final = re.compile(
    r"\bdid i (ask|say|write)\b"
    r"|\bhave i (asked|said|written)\b"
    r"|\bi asked\b"
    r"|\bmy (first|last|earlier|previous) (questions?|prompts?|messages?)\b"
    r"|\bdo you remember\b"
)
_HISTORY_NOTE: Final = (
    "They come from the session's file, which outlives the kernel; `%jido show` reads the whole conversation."
)
_LISTED: Final = 10  # earlier questions that are shown, at most; the first and the last half of them
_SHORT: Final = 80  # characters of a quoted question


def answer(prompt: str, earlier_prompts: Sequence[str]) -> str:
    """Return the guide's answer to ``prompt`` as Markdown.

    Args:
        prompt: the question.
        earlier_prompts: the questions of the session before it, oldest first.
    """
    asked = prompt.lower()
    if earlier_prompts and _ABOUT_EARLIER.search(asked):
        body = f"{_listed(earlier_prompts)}\n\n{_HISTORY_NOTE}"
    else:
        body = _topic(asked)
    return "\n\n".join(part for part in (body, _memory(earlier_prompts), _DISCLAIMER) if part)


def wanted_tool(prompt: str, offered: Collection[str]) -> str | None:
    """Return the offered tool whose look answers ``prompt``; None where words do."""
    asked = prompt.lower()
    if _HOW_TO.search(asked):
        return None
    return next((name for name, about in _LOOKS if name in offered and about.search(asked)), None)


def report(results: Sequence[str]) -> str:
    """Return the answer after a look, as Markdown: where to find what the tool gave back, and what the guide cannot do with it."""
    count = sum(len(result.splitlines()) for result in results)
    lines = "1 line" if count == 1 else f"{count} lines"
    return (
        f"**I looked: what I found, {lines}, stands above, in the line of the tool.**\n\n"
        f"A language model would go on from here; ask me how to connect one.\n\n{_DISCLAIMER}"
    )


def _topic(asked: str) -> str:
    words = set(re.findall(r"\w+", asked))
    hits, text = max(((len(words.intersection(keys.split())), text) for keys, text in _TOPICS), key=itemgetter(0))
    return text if hits else _DEFAULT


def _memory(earlier: Sequence[str]) -> str:
    if not earlier:
        return ""
    questions = "question" if len(earlier) == 1 else "questions"
    return f"This session holds {len(earlier)} earlier {questions}; the first was “{_quoted(earlier[0])}”."


def _listed(earlier: Sequence[str]) -> str:
    lines = [f"{number}. {_quoted(prompt)}" for number, prompt in enumerate(earlier, 1)]
    if len(lines) > _LISTED:
        half = _LISTED // 2
        lines = [*lines[:half], f"\n… {len(lines) - 2 * half} more …\n", *lines[-half:]]
    return "**Before this you asked:**\n\n" + "\n".join(lines)


def _quoted(prompt: str) -> str:
    """Return ``prompt`` on one line, shortened, with the signs escaped that Markdown would act on."""
    line = " ".join(prompt.split())
    if len(line) > _SHORT:
        line = line[: _SHORT - 1] + "…"
    return re.sub(r"([\\`*\[\]<$])", r"\\\1", line)
