"""What the built-in guide says: help for newcomers, picked by keywords, the same words for the same question.

The guide is no language model and says so in each answer. It stands in until a model is connected, so that asking,
saving, listing and resuming can be tried without a key or a network.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Final

MODEL_NAME: Final = "jido-guide-1"
MODEL_ID: Final = f"guide:{MODEL_NAME}"

_DISCLAIMER: Final = "*I am the built-in guide, not a language model: I only know how jido works.*"

_DEFAULT: Final = """\
Welcome! Everything said here is kept, also when the kernel dies. You can ask me about:

- **saving**, and **resuming** after a restart
- **finding** your sessions: the list, the **panel** and the **sidebar**
- connecting a real **model**
- the **limits**, and **where** the files live

Try `%%jido` with a question in a cell, then `%jido list`. To get real answers, connect a language model: ask me how."""

_SAVING: Final = """\
**Nothing to do: every turn is saved when its answer ends.** While an answer streams, its text is written about once
a second, so even a killed kernel loses little.

- `%jido save` writes the session now and says what was saved.
- `%jido close` gives it up; it stays stored and can be resumed anywhere.
- `%jido rename` gives the session a title that you find again."""

_RESUMING: Final = """\
**After a restart, go on where you were:**

1. `%load_ext jido_jupyter`
2. `%jido list` shows your sessions with a number each.
3. `%jido resume 1` opens the first one again; an id or the beginning of a title works too.

The conversation comes back, the variables of the old kernel do not: run the cells that define them again."""

_FINDING: Final = """\
**To find a session again:**

- `%jido list` shows the sessions, newest first; `%jido list words` those that hold the words.
- `%jido show 1` reads a session without opening it.
- `%jido panel` puts the list and a chat into the notebook.
- In JupyterLab and Notebook 7 the jido **sidebar** shows the same sessions beside the notebook.

`%jido rename` gives the open session a title that you find again."""

_CONNECTING: Final = """\
**To get answers from a language model**, set this before you start Jupyter:

- *Any OpenAI-compatible server*: `JIDO_MODEL=openai:<model name>`, `OPENAI_BASE_URL=<its address>` (leave it out for
  OpenAI itself) and `OPENAI_API_KEY=<your key>`.
- *On your own machine*: start Ollama, then `%jido model ollama:<model name>`. It is used only after you chose it;
  nothing leaves your machine.

`%jido model` shows which one answers. Keep keys out of notebook cells: they would be saved."""

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
    ("where file files folder directory path disk stored jido_home location live", _FILES),
    (
        "resume resuming restart restarted restarting continue reopen kernel crash crashed died back restore again",
        _RESUMING,
    ),
    ("list search searching find panel sidebar show browse sessions title tag pin overview", _FINDING),
    ("save saves saved saving export import keep kept lose lost durable backup", _SAVING),
)

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
