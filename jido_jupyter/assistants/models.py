"""Which model answers. Imports no model library: `build` does, on the first ask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from jido_jupyter.assistants import guide
from jido_jupyter.assistants.endpoints import (
    PROBE_S,
    PROVIDERS,
    Offer,
    find_endpoint,
    find_offers,
    has_library,
    install_hint,
)
from jido_jupyter.assistants.port import Assistant
from jido_jupyter.errors import AssistantUnavailable, InvalidSetting

_NAMED: Final = ", ".join(f"{name}:<model name>" for name in PROVIDERS if name not in ("openai", "guide"))
_FORMS: Final = (
    f"write openai:<model name> (any OpenAI-compatible server, see OPENAI_BASE_URL), {_NAMED}, or {guide.MODEL_ID}"
)
_TOLD_BY: Final = {"setting": "JIDO_MODEL", "session": "model of this session", "chosen": "model", "default": ""}


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The model that answers, and who decided so."""

    model_id: str  # "provider:name"
    source: Literal["setting", "session", "chosen", "default"]


def parse_model_id(text: str, setting: str = "JIDO_MODEL") -> tuple[str, str]:
    """Return provider and name of a model id such as ``ollama:llama3.2:3b``.

    Raises:
        InvalidSetting: not one of the forms; ``setting`` says where the text came from.
    """
    provider, _, name = text.partition(":")
    if provider not in PROVIDERS or not re.fullmatch(r"[^\s\x00-\x1f\x7f]+", name):
        raise InvalidSetting(setting, text, _FORMS)
    if provider == "guide" and name != guide.MODEL_NAME:
        raise InvalidSetting(setting, text, _FORMS)
    return provider, name


def choose(setting: str | None, chosen: str | None, for_session: str | None = None) -> ModelChoice:
    """Return the model that answers: the setting, else the session's own, else the one chosen for all, else the guide.

    Args:
        setting: the value of JIDO_MODEL; empty counts as not set.
        chosen: the model id confirmed with ``%jido model`` for all sessions.
        for_session: the model id chosen for the open session.

    Raises:
        InvalidSetting: the one that counts is no model id.
    """
    choices = (
        ModelChoice(setting or "", "setting"),
        ModelChoice(for_session or "", "session"),
        ModelChoice(chosen or "", "chosen"),
        ModelChoice(guide.MODEL_ID, "default"),
    )
    choice = next(choice for choice in choices if choice.model_id)
    parse_model_id(choice.model_id, _TOLD_BY[choice.source])
    return choice


def offers(environ: Mapping[str, str], timeout_s: float = PROBE_S) -> list[Offer]:
    """Return what could be used now, each with the reason; takes a second at most.

    Args:
        timeout_s: longest wait for each server on this machine.
    """
    return find_offers(environ, timeout_s)


def build(choice: ModelChoice, environ: Mapping[str, str]) -> Assistant:
    """Return the assistant of ``choice``. The first call imports the model library: 1 to 2 s of work.

    Raises:
        AssistantUnavailable: a library is missing or cannot be imported, or a key is missing.
        InvalidSetting: the model id or an address is not valid.
    """
    provider, name = parse_model_id(choice.model_id)
    endpoint = None if provider == "guide" else find_endpoint(provider, environ)
    who = PROVIDERS[provider]
    if not has_library(who):
        raise AssistantUnavailable(
            f'Models of {who.title} need one more library: run "{install_hint(who)}" in this kernel\'s environment and '
            "restart the kernel."
        )
    try:
        from jido_jupyter.assistants import pydantic_engine

        if endpoint is None:
            return pydantic_engine.guide_assistant()
        return pydantic_engine.server_assistant(provider, name, endpoint)
    except Exception as error:  # a mismatched library raises anything while it is imported
        reason = " ".join(str(error).split())[:200]
        raise AssistantUnavailable(
            f"The model library cannot be loaded ({type(error).__name__}: {reason}), so nothing can be asked; listing "
            "and showing sessions still work. Run 'pip install --upgrade jido_jupyter' in this "
            "kernel's environment and restart the kernel."
        ) from error
