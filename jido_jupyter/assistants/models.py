"""Which model answers. Imports no model library: `build` does, on the first ask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from jido_jupyter.assistants import guide
from jido_jupyter.assistants.endpoints import find_endpoint
from jido_jupyter.assistants.port import Assistant
from jido_jupyter.errors import AssistantUnavailable, InvalidSetting

PROVIDERS: Final = ("openai", "ollama", "guide")

_FORMS: Final = f"write openai:<model name> (any OpenAI-compatible server, see OPENAI_BASE_URL), ollama:<model name>, or {guide.MODEL_ID}"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The model that answers, and who decided so."""

    model_id: str  # "provider:name"
    source: Literal["setting", "chosen", "default"]


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


def choose(setting: str | None, chosen: str | None) -> ModelChoice:
    """Return the model that answers: the setting, else what the user confirmed earlier, else the guide.

    Args:
        setting: the value of JIDO_MODEL; empty counts as not set.
        chosen: the model id confirmed with ``%jido model``.

    Raises:
        InvalidSetting: the one that counts is no model id.
    """
    if setting:
        parse_model_id(setting)
        return ModelChoice(setting, "setting")
    if chosen:
        parse_model_id(chosen, "model")
        return ModelChoice(chosen, "chosen")
    return ModelChoice(guide.MODEL_ID, "default")


def build(choice: ModelChoice, environ: Mapping[str, str]) -> Assistant:
    """Return the assistant of ``choice``. The first call imports the model library: 1 to 2 s of work.

    Raises:
        AssistantUnavailable: the library cannot be imported, or a key is missing.
        InvalidSetting: the model id or an address is not valid.
    """
    provider, name = parse_model_id(choice.model_id)
    endpoint = None if provider == "guide" else find_endpoint(provider, environ)
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
