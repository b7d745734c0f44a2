"""Where models are reached: OpenAI-compatible addresses from the environment, and a local Ollama."""

from __future__ import annotations

import http.client
import ipaddress
import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from jido_jupyter.assistants import guide
from jido_jupyter.errors import AssistantUnavailable, InvalidSetting

NO_KEY: Final = "none"  # sent to servers that ask for none; the client library insists on one

_OPENAI_URL: Final = "https://api.openai.com/v1"
_OLLAMA_URL: Final = "http://127.0.0.1:11434"
_OLLAMA_PORT: Final = 11434
_TAGS_LIMIT: Final = 4_000_000  # bytes of a list of models that are read


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
            f"or the built-in guide (%jido model {guide.MODEL_ID})."
        )
    return Endpoint(url, key or NO_KEY, use_proxy=not is_local, setting="OPENAI_BASE_URL")


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
