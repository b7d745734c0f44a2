"""The composition root: settings in, the object graph out. Server, notebook and command line all start here."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from jido_jupyter.core import ids
from jido_jupyter.core.records import Owner
from jido_jupyter.core.window import Window
from jido_jupyter.errors import InvalidSetting, KeptElsewhere
from jido_jupyter.services import distance, doctor
from jido_jupyter.services.cleanup import Cleanup, log
from jido_jupyter.services.doctor import Check
from jido_jupyter.services.folders import folders_of, read_settings
from jido_jupyter.services.limits import Limits
from jido_jupyter.services.sessions import Sessions
from jido_jupyter.services.settings import Settings
from jido_jupyter.store import keys
from jido_jupyter.store.contract import Store
from jido_jupyter.store.file import FileStore
from jido_jupyter.store.folder import Folder
from jido_jupyter.store.limiter import FileLimiter, Limiter


@dataclass(frozen=True, slots=True)
class Connection:
    """Everything that a door needs."""

    settings: Settings
    sessions: Sessions
    cleanup: Cleanup
    home: str  # where the sessions are: the store's folder, or the address of the server that keeps them
    config: str  # keys, jido.toml and the chosen model
    limits: Limits
    store: Store
    limiter: Limiter


def connect(environ: Mapping[str, str] = os.environ) -> Connection:
    """Open the store that the settings name, here or on a server, and return what works on it.

    Raises:
        InvalidSetting: a ``JIDO_*`` variable or ``jido.toml`` holds a value without meaning.
        StoreUnavailable: the store, the keys or the server cannot be used.
    """
    settings = read_settings(environ)
    return _here(settings) if settings.url is None else _elsewhere(settings, settings.url)


def _here(settings: Settings) -> Connection:
    folders = folders_of(settings)
    store = FileStore(folders.home, keys.load_or_create(folders.keys), settings.max_session_size, folders.cache)
    limiter = FileLimiter(os.path.join(folders.home, "limits"))
    return _connected(settings, store, limiter, folders.home, folders.config, folders.home)


def _elsewhere(settings: Settings, url: str) -> Connection:
    from jido_jupyter.client import Link, RemoteLimiter, RemoteStore, described  # needs an HTTP library

    link = Link(url, settings.token)
    settings = settings.with_limits(described(link).settings)
    config = folders_of(settings).config
    Folder(config).make()  # for the chosen model and the log of cleanups; the keys are the server's
    return _connected(settings, RemoteStore(link), RemoteLimiter(link), url, config, config)


def _connected(
    settings: Settings, store: Store, limiter: Limiter, home: str, config: str, log_folder: str
) -> Connection:
    others = {name: Window(*rate) for name, rate in settings.rate_limits.items()}
    limits = Limits(limiter, settings.session_window, settings.user_window, others)
    cleanup = Cleanup(store, this_process("cleanup"), _now, _writer(os.path.join(log_folder, "cleanup.log")))
    sessions = Sessions(
        store,
        limits,
        max_sessions=settings.max_sessions,
        clock=_now,
        mint_id=_mint_id,
        make_room=lambda: settings.make_room and cleanup.make_room(settings.max_sessions),
        redacts=settings.redact,
    )
    return Connection(settings, sessions, cleanup, home, config, limits, store, limiter)


def this_process(kind: str, notebook: str | None = None) -> Owner:
    return Owner(kind, socket.gethostname(), os.getpid(), notebook)


def key_ids(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the ids of the keys that check sessions, oldest first; the last one seals.

    Raises:
        KeptElsewhere: a server keeps the sessions, and the keys.
    """
    return keys.load_or_create(_keys_folder(environ)).ids


def rotate_key(environ: Mapping[str, str] = os.environ) -> str:
    """Make a key that seals from now on, and return its id. Processes that run already seal with it once they restart.

    Raises: as `key_ids`.
    """
    return keys.rotate(_keys_folder(environ))


def _keys_folder(environ: Mapping[str, str]) -> str:
    settings = read_settings(environ)
    if settings.url is not None:
        raise KeptElsewhere(settings.url, "So are their keys: run 'jido keys' on its machine, without JIDO_URL.")
    return folders_of(settings).keys


def examine(environ: Mapping[str, str] = os.environ) -> Iterator[Check]:
    """Look the store over that the settings name, also one that `connect` refuses."""

    def patient(settings: Settings) -> doctor.Patient:
        folders = folders_of(settings)
        return doctor.Patient(folders.home, folders.keys, folders.cache, settings, lambda: connect(environ).sessions)

    try:
        url = read_settings(environ).url
    except InvalidSetting:
        url = None  # the first line says what is wrong with them
    if url is not None:
        return distance.examine(url, lambda: connect(environ).sessions)
    return doctor.examine(lambda: read_settings(environ), patient, Settings(home=environ.get("JIDO_HOME") or None))


def _writer(path: str) -> Callable[[str], None]:
    """Return what adds a line to a private file; a line that cannot be written there still stands in the log."""

    def write(line: str) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            fd = os.open(path, flags, 0o600)
            try:
                os.fchmod(fd, 0o600)  # whatever the umask
                os.write(fd, f"{line}\n".encode(errors="replace"))
            finally:
                os.close(fd)
        except OSError as error:
            log.warning("%s cannot be written (%s); it lacks: %s", path, error.strerror, line)

    return write


def _now() -> datetime:
    return datetime.now(UTC)


def _mint_id() -> str:
    return ids.from_random(secrets.token_bytes(ids.ID_BYTES))
