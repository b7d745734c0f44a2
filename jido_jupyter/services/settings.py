"""Settings from the environment and ``jido.toml``; the environment wins. An invalid value is an error that names it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from jido_jupyter.errors import InvalidSetting

if TYPE_CHECKING:
    from jido_jupyter.core.window import Window

MIB: Final = 2**20
_HIDDEN: Final = "..."
_WORD: Final = re.compile(r"[!-~]+")
Rate = tuple[int, float]  # calls in any span of so many seconds
# Of one user, over all sessions; resuming has settings of its own.
RATES: Final[Mapping[str, Rate]] = {
    "search": (600, 60.0),
    "export": (120, 60.0),
    "import": (30, 60.0),
    "cleanup": (10, 60.0),
}

_OF_THE_STORE: Final = (
    "max_session_size",
    "max_sessions",
    "resume_limit",
    "resume_window",
    "resume_user_limit",
    "cleanup_days",
    "rate_limits",
    "make_room",
)


@dataclass(frozen=True, slots=True)
class Settings:
    home: str | None = None  # the store's folder; None: the default place
    url: str | None = None  # of the Jupyter server that keeps the sessions, ends in a slash; None: they are kept here
    token: str | None = field(default=None, repr=False)  # of that server
    model: str | None = None  # "provider:name"
    max_session_size: int = 10 * MIB  # bytes
    max_sessions: int = 100
    resume_limit: int = 5  # per session
    resume_window: float = 60.0  # s
    resume_user_limit: int = 20  # over all sessions
    cleanup_days: int = 30  # since the last turn; `jido cleanup` leaves younger sessions alone
    redact: bool = True  # known keys and passwords are not stored
    context_tokens: int | None = None  # of a conversation that a model is sent; None: by the kind of model
    rate_limits: Mapping[str, Rate] = field(default_factory=lambda: RATES)
    make_room: bool = False  # at max_sessions, trash the session that was resumed longest ago

    @property
    def limits(self) -> dict[str, Any]:
        """What holds for the store, whoever asks."""
        return {name: getattr(self, name) for name in _OF_THE_STORE}

    def with_limits(self, limits: Mapping[str, Any]) -> Settings:
        """Return these settings with the limits of the server that keeps the sessions; what nobody knows is passed over."""
        return replace(self, **{name: value for name, value in limits.items() if name in _OF_THE_STORE})

    @property
    def session_window(self) -> Window:
        from jido_jupyter.core.window import Window  # not at the top: '%load_ext' only asks where the store is

        return Window(self.resume_limit, self.resume_window)

    @property
    def user_window(self) -> Window:
        from jido_jupyter.core.window import Window

        return Window(max(self.resume_user_limit, self.resume_limit), self.resume_window)


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError("it must be at least 1")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 86400:
        raise ValueError("it must be above 0 and at most 86400")
    return value


def _rates(text: str) -> Mapping[str, Rate]:
    found = dict(RATES)
    for term in text.split():
        name, _, rate = term.partition("=")
        limit, _, seconds = rate.partition("/")
        if name not in RATES:
            raise ValueError(f"it must name operations among {', '.join(RATES)}")
        found[name] = _count(limit), _seconds(seconds)
    return found


def _url(text: str) -> str:
    found = urlsplit(text)
    if found.scheme not in ("http", "https") or not found.hostname or not _WORD.fullmatch(text):
        raise ValueError("it must be the address of a Jupyter server, as in https://host/user/ann/")
    if found.username is not None or found.query or found.fragment:
        raise ValueError("it must be the address alone, without user, '?' and '#'; the token goes into JIDO_TOKEN")
    found.port  # noqa: B018 # raises where it is no number
    return text if text.endswith("/") else f"{text}/"


def _token(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError("it must be one word of visible ASCII characters; copy it from the server again")
    return text


def _switch(text: str) -> bool:
    if text not in ("True", "False"):  # TOML's true and false, as Python writes them
        raise ValueError
    return text == "True"


def _on_off(text: str) -> bool:
    values = {"on": True, "true": True, "off": False, "false": False}
    try:
        return values[text.lower()]
    except KeyError:
        raise ValueError from None


_READERS: Final[dict[str, tuple[str, Callable[[str], Any], str]]] = {
    "JIDO_HOME": ("home", str, "a folder"),
    "JIDO_URL": ("url", _url, "the address of a Jupyter server, as in https://host/user/ann/"),
    "JIDO_TOKEN": ("token", _token, "a token of that server"),
    "JIDO_MODEL": ("model", str, "provider:name"),
    "JIDO_MAX_SESSION_SIZE": ("max_session_size", _count, "a whole number of bytes"),
    "JIDO_MAX_SESSIONS": ("max_sessions", _count, "a whole number"),
    "JIDO_RESUME_LIMIT": ("resume_limit", _count, "a whole number"),
    "JIDO_RESUME_WINDOW": ("resume_window", _seconds, "a number of seconds"),
    "JIDO_CLEANUP_DAYS": ("cleanup_days", _count, "a whole number of days"),
    "JIDO_REDACT": ("redact", _on_off, "on or off"),
    "JIDO_RATE_LIMITS": ("rate_limits", _rates, "as in 'search=600/60 import=30/60', calls and seconds"),
    "JIDO_CONTEXT_TOKENS": ("context_tokens", _count, "a whole number of tokens"),
}
# What removes anything by itself is switched on in the file, where it stays to be seen; no variable does.
_FILE_ONLY: Final[dict[str, tuple[str, Callable[[str], Any], str]]] = {
    "make_room": ("make_room", _switch, "true or false"),
}
_NAMES: Final = {key: name for name, (key, _, _) in (_READERS | _FILE_ONLY).items()}


def read(environ: Mapping[str, str], file: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings.

    Args:
        environ: ``JIDO_*`` variables; empty ones count as not set.
        file: the parsed ``jido.toml``, with the field names of `Settings` as keys.

    Raises:
        InvalidSetting: a value has no meaning, or the file has a key that nobody knows.
    """
    written: dict[str, Any] = {}
    for key, value in (file or {}).items():
        if key not in _NAMES:
            raise InvalidSetting(key, str(value), f"jido.toml knows {', '.join(sorted(_NAMES))}")
        written[key] = _read(_NAMES[key], str(value))
    told = {key: _read(name, text) for name, (key, _, _) in _READERS.items() if (text := environ.get(name, "").strip())}
    for source in (told, written):
        _check_place(source)
    if "home" in told or "url" in told:  # a place is one whole: no token goes to another server than the one beside it
        written = {key: value for key, value in written.items() if key not in ("home", "url", "token")}
    settings = Settings(**(written | told))
    if settings.token is not None and settings.url is None:
        raise InvalidSetting(
            "JIDO_TOKEN", _HIDDEN, "it is of no use without JIDO_URL, the address of the server it is for"
        )
    return settings


def _check_place(values: Mapping[str, Any]) -> None:
    if "home" in values and "url" in values:
        reason = "it names a server, and JIDO_HOME a folder here; sessions are kept in one of them, so unset the other"
        raise InvalidSetting("JIDO_URL", values["url"], reason)


def _read(name: str, text: str) -> Any:
    _, reader, expected = (_READERS | _FILE_ONLY)[name]
    try:
        return reader(text)
    except ValueError as error:
        reason = str(error) if str(error).startswith("it must") else f"it must be {expected}"
        raise InvalidSetting(name, _shown(name, text), reason) from None


def _shown(name: str, text: str) -> str:
    """Return a value as an error may show it: addresses are pasted with the token in them."""
    if name == "JIDO_TOKEN":
        return _HIDDEN
    return re.split(r"[?#]", re.sub(r"//[^/]*@", "//", text))[0] if name == "JIDO_URL" else text
