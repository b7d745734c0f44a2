"""Which model answers, and where it is reached. Imports no model library: `build` does, on the first ask."""

from __future__ import annotations

import http.client
import ipaddress
import json
import re
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit, urlunsplit

from jido_jupyter.assistants import guide
from jido_jupyter.assistants.port import Assistant
from jido_jupyter.errors import AssistantUnavailable, InvalidSetting

PROVIDERS: Final = ("openai", "ollama", "guide")
NO_KEY: Final = "none"  # sent to servers that ask for none; the client library insists on one
GUIDE_ID: Final = f"guide:{guide.MODEL_NAME}"

_FORMS: Final = (
    f"write openai:<model name> (any OpenAI-compatible server, see OPENAI_BASE_URL), ollama:<model name>, or {GUIDE_ID}"
)
_OPENAI_URL: Final = "https://api.openai.com/v1"
_OLLAMA_URL: Final = "http://127.0.0.1:11434"
_OLLAMA_PORT: Final = 11434
_TAGS_LIMIT: Final = 4_000_000  # bytes of a list of models that are read


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The model that answers, and who decided so."""

    model_id: str  # "provider:name"
    source: Literal["setting", "chosen", "default"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server."""

    url: str  # up to and including /v1
    api_key: str = field(repr=False)
    use_proxy: bool  # obey HTTP_PROXY and its kin
    setting: str  # the variable that moves it

    @property
    def shown(self) -> str:
        """The address without user name, password and query; fit for a message."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))


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
    return ModelChoice(GUIDE_ID, "default")


def find_ollama(environ: Mapping[str, str], timeout_s: float = 0.25) -> list[str]:
    """Return the names of the models that an Ollama server offers; empty when none can be reached.

    Finding is not using: asking may load many gigabytes, so the user confirms a model first.

    Args:
        environ: OLLAMA_HOST is read from it.
        timeout_s: longest wait for the connection, and for each piece of the answer.
    """
    # An empty ProxyHandler: HTTP_PROXY must not capture a call to this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{_ollama_root(environ)}/api/tags", timeout=timeout_s) as response:
            models = json.loads(response.read(_TAGS_LIMIT))["models"]
        return [model["name"] for model in models if isinstance(model["name"], str)]
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, InvalidSetting):
        return []


def find_endpoint(provider: str, environ: Mapping[str, str]) -> Endpoint:
    """Return where ``openai`` or ``ollama`` is reached.

    Raises:
        AssistantUnavailable: a key is needed and there is none.
        InvalidSetting: an address is not an address.
    """
    if provider == "ollama":
        return Endpoint(f"{_ollama_root(environ)}/v1", NO_KEY, use_proxy=False, setting="OLLAMA_HOST")
    url, key = environ.get("OPENAI_BASE_URL") or _OPENAI_URL, environ.get("OPENAI_API_KEY")
    _check_url("OPENAI_BASE_URL", url)
    is_local = _is_loopback(urlsplit(url).hostname or "")
    if not key and not is_local:
        raise AssistantUnavailable(
            f"The environment variable OPENAI_API_KEY is not set, and {urlsplit(url).hostname} needs it. "
            "Set it before you start Jupyter, or use a local model (%jido model ollama:<name>) "
            f"or the built-in guide (%jido model {GUIDE_ID})."
        )
    return Endpoint(url, key or NO_KEY, use_proxy=not is_local, setting="OPENAI_BASE_URL")


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
            f"The model library cannot be loaded ({type(error).__name__}: {reason}), so nothing can be asked; listing, "
            "searching, showing and exporting sessions still work. Run 'pip install --upgrade jido_jupyter' in this "
            "kernel's environment and restart the kernel."
        ) from error


def _ollama_root(environ: Mapping[str, str]) -> str:
    """Return the address in OLLAMA_HOST, completed the way Ollama does: ``0.0.0.0`` and ``:1234`` are valid there."""
    value = environ.get("OLLAMA_HOST", "").strip().strip("\"'")
    if not value:
        return _OLLAMA_URL
    has_scheme = "://" in value
    url = value if has_scheme else f"http://{value}"
    _check_url("OLLAMA_HOST", url, needs_host=False)
    parts = urlsplit(url)
    host = parts.hostname or "127.0.0.1"
    if host in ("0.0.0.0", "::"):  # where a server listens, not where it is reached
        host = "127.0.0.1"
    port = parts.port or (None if has_scheme else _OLLAMA_PORT)
    address = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{address}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def _check_url(setting: str, url: str, needs_host: bool = True) -> None:
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname or not needs_host) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url:
        raise InvalidSetting(setting, url.rpartition("@")[2], "write an address such as http://127.0.0.1:11434")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
