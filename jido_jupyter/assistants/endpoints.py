"""Where models are reached: the table of providers, addresses from the environment, keys from there or the OS keyring."""

from __future__ import annotations

import http.client
import importlib.util
import json
import threading
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit, urlunsplit

from jido_jupyter.assistants import guide
from jido_jupyter.core.hosts import is_loopback
from jido_jupyter.errors import AssistantUnavailable, InvalidSetting

NO_KEY: Final = "none"  # sent to servers that ask for none; the client libraries insist on one
KEYRING_SERVICE: Final = "jido_jupyter"
PROBE_S: Final = 0.25  # what answers here answers at once

_OLLAMA_URL: Final = "http://127.0.0.1:11434"
_OLLAMA_PORT: Final = 11434
_LIST_LIMIT: Final = 4_000_000  # bytes of a list of models that are read

Dialect = Literal["openai", "anthropic", "google", "bedrock", "guide"]


@dataclass(frozen=True, slots=True)
class Provider:
    """Who serves models: what stands before the colon of a model id."""

    name: str
    title: str
    dialect: Dialect
    url: str = ""  # the usual address
    setting: str = ""  # the variable that moves it
    key_settings: tuple[str, ...] = ()  # variables that may hold its key, the first one is told to users
    extra: str = ""  # of this package, where its library is no dependency
    library: str = ""  # that the extra brings

    @property
    def is_local(self) -> bool:
        """Whether it usually runs on the user's machine."""
        return is_loopback(urlsplit(self.url).hostname or "")


PROVIDERS: Final[Mapping[str, Provider]] = {
    provider.name: provider
    for provider in (
        Provider("openai", "OpenAI", "openai", "https://api.openai.com/v1", "OPENAI_BASE_URL", ("OPENAI_API_KEY",)),
        Provider("ollama", "Ollama", "openai", _OLLAMA_URL, "OLLAMA_HOST"),
        Provider(
            "openrouter",
            "OpenRouter",
            "openai",
            "https://openrouter.ai/api/v1",
            "OPENROUTER_BASE_URL",
            ("OPENROUTER_API_KEY",),
        ),
        Provider("vllm", "vLLM", "openai", "http://127.0.0.1:8000/v1", "VLLM_BASE_URL", ("VLLM_API_KEY",)),
        Provider(
            "lmstudio", "LM Studio", "openai", "http://127.0.0.1:1234/v1", "LMSTUDIO_BASE_URL", ("LMSTUDIO_API_KEY",)
        ),
        Provider(
            "anthropic",
            "Anthropic",
            "anthropic",
            "https://api.anthropic.com",
            "ANTHROPIC_BASE_URL",
            ("ANTHROPIC_API_KEY",),
            "anthropic",
            "anthropic",
        ),
        Provider(
            "google",
            "Google",
            "google",
            "https://generativelanguage.googleapis.com",
            "GOOGLE_GEMINI_BASE_URL",
            ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
            "google",
            "google.genai",
        ),
        Provider(
            "bedrock",
            "Bedrock",
            "bedrock",
            "",
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
            ("AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "AWS_PROFILE"),
            "bedrock",
            "boto3",
        ),
        Provider("guide", "the built-in guide", "guide"),
    )
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that models are asked at."""

    url: str  # of an OpenAI-compatible one up to and including /v1; empty: the library knows
    api_key: str = field(repr=False)
    use_proxy: bool  # obey HTTP_PROXY and its kin
    setting: str  # the variable that moves it
    key_setting: str = ""  # the variable that holds its key

    @property
    def shown(self) -> str:
        """The address without user name, password and query; fit for a message."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))


def find_endpoint(provider: str, environ: Mapping[str, str]) -> Endpoint:
    """Return where a provider is reached.

    Raises:
        AssistantUnavailable: a key is needed and there is none.
        InvalidSetting: an address is not an address.
    """
    who = PROVIDERS[provider]
    if provider == "ollama":
        return Endpoint(f"{_ollama_root(environ)}/v1", NO_KEY, use_proxy=False, setting=who.setting)
    url = environ.get(who.setting) or who.url
    if url:
        _check_url(who.setting, url)
    key, key_setting = find_key(who, environ), who.key_settings[0]
    is_local = is_loopback(urlsplit(url).hostname or "")
    has_own_ways = who.dialect == "bedrock"  # AWS finds credentials in a dozen places
    if not (key or is_local or who.is_local or has_own_ways):
        raise AssistantUnavailable(
            f"The environment variable {key_setting} is not set, and {urlsplit(url).hostname} needs it. "
            "Set it before you start Jupyter, or use a local model (%jido model ollama:<name>) "
            f"or the built-in guide (%jido model {guide.MODEL_ID})."
        )
    return Endpoint(url, key or NO_KEY, not is_local, who.setting, key_setting)


def find_key(provider: Provider, environ: Mapping[str, str]) -> str | None:
    """Return the key of a provider: from the environment, else from the OS keyring; None where there is none."""
    names = _key_names(provider)
    set_ones = (environ.get(name) for name in names)
    return next(filter(None, set_ones), None) or next(filter(None, map(_from_keyring, names)), None)


@dataclass(frozen=True, slots=True)
class Offer:
    """What could be used now, and why."""

    provider: str
    models: tuple[str, ...]  # names, as far as they are known
    reason: str

    @property
    def model_ids(self) -> tuple[str, ...]:
        """What ``%jido model`` takes; where no names are known, with a place for one."""
        return tuple(f"{self.provider}:{name}" for name in self.models or ("<model name>",))


def find_offers(environ: Mapping[str, str], timeout_s: float = PROBE_S) -> list[Offer]:
    """Return what answers on this machine and what has a key, in the order of the table; the guide is always there.

    Args:
        timeout_s: longest wait for a connection to this machine, and for each piece of an answer; all wait at once.
    """
    found: dict[str, Offer | None] = {}

    def look(provider: Provider) -> None:
        found[provider.name] = _offer(provider, environ, timeout_s)

    # Threads of our own: a pool would be waited for when the process ends, and a server may drip for ever.
    threads = [threading.Thread(target=look, args=(provider,), daemon=True) for provider in PROVIDERS.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(8 * timeout_s)
    return [offer for name in PROVIDERS if (offer := found.get(name)) is not None]


def find_ollama(environ: Mapping[str, str], timeout_s: float = PROBE_S) -> list[str]:
    """Return the names of the models that an Ollama server offers; empty when none can be reached.

    Finding is not using: asking may load many gigabytes, so the user confirms a model first.

    Args:
        environ: OLLAMA_HOST is read from it.
        timeout_s: longest wait for the connection, and for each piece of the answer.
    """
    try:
        return _names(f"{_ollama_root(environ)}/api/tags", "models", "name", timeout_s)
    except InvalidSetting:
        return []


def has_library(provider: Provider) -> bool:
    """Return whether what the provider's extra brings is installed; nothing is imported."""
    try:
        return not provider.library or importlib.util.find_spec(provider.library) is not None
    except ImportError:  # the parent of a dotted name
        return False


def install_hint(provider: Provider) -> str:
    return f"pip install 'jido_jupyter[{provider.extra}]'"


def _offer(provider: Provider, environ: Mapping[str, str], timeout_s: float) -> Offer | None:
    if provider.dialect == "guide":
        return Offer(provider.name, (guide.MODEL_NAME,), "always here; no language model")
    if provider.name == "ollama":
        names = find_ollama(environ, timeout_s)
        return Offer(provider.name, tuple(names), f"{provider.title} answers here") if names else None
    url = environ.get(provider.setting) or provider.url
    if provider.dialect == "openai" and is_loopback(_host(url)):
        names = _names(f"{url.rstrip('/')}/models", "data", "id", timeout_s)
        who = provider.title if provider.is_local else provider.setting
        return Offer(provider.name, tuple(names), f"{who} answers here") if names else None
    if not (reason := _key_reason(provider, environ)):
        return None
    missing = "" if has_library(provider) else f"; it still needs: {install_hint(provider)}"
    return Offer(provider.name, (), reason + missing)


def _key_reason(provider: Provider, environ: Mapping[str, str]) -> str:
    if name := next((name for name in provider.key_settings if environ.get(name)), ""):
        return f"{name} is set"
    name = next((name for name in _key_names(provider) if _from_keyring(name)), "")
    return f"{name} is in the keyring" if name else ""


def _key_names(provider: Provider) -> tuple[str, ...]:
    """Return the names of keys that we hand on; AWS reads its other credentials itself."""
    return provider.key_settings[:1] if provider.dialect == "bedrock" else provider.key_settings


def _from_keyring(name: str) -> str | None:
    try:
        import keyring

        found = keyring.get_password(KEYRING_SERVICE, name)
    except Exception:  # not installed, or no keyring in this system, or it is locked: each backend raises its own
        return None
    return found or None


def _names(url: str, entry: str, member: str, timeout_s: float) -> list[str]:
    """Return the names in a list of models; empty where nobody serves one."""
    # An empty ProxyHandler: HTTP_PROXY must not capture a call to this machine.
    opener: Callable[..., http.client.HTTPResponse] = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
    try:
        with opener(url, timeout=timeout_s) as response:
            listed = json.loads(response.read(_LIST_LIMIT))[entry]
        return [model[member] for model in listed if isinstance(model[member], str)]
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return []


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


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
