"""A session as one Markdown file, to be read anywhere."""

from __future__ import annotations

from collections.abc import Iterator

from jido_jupyter.services.exchange import parts
from jido_jupyter.services.exchange.inert import inert_line
from jido_jupyter.services.sessions import Shown


def write(shown: Shown) -> Iterator[str]:
    yield f"# {inert_line(shown.state.title)}\n\n*{about(shown)}*\n"
    for problem in shown.summary.problems:
        yield f"\n*{inert_line(problem)}*\n"
    for message in shown.state.messages:
        yield f"\n## {parts.heading(message)}\n\n{parts.body(message)}\n"


def about(shown: Shown) -> str:
    """Return in one line where the session is from."""
    state = shown.state
    facts = [f"Session {state.id}", f"last turn {inert_line(state.updated_at[:16].replace('T', ' '))} UTC"]
    if state.tags:
        facts.append(f"tags {', '.join(map(inert_line, state.tags))}")
    if state.notebook:
        facts.append(f"notebook {inert_line(state.notebook)}")
    return " · ".join(facts)
