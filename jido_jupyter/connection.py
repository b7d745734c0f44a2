"""The composition root: settings in, the object graph out. Server, notebook and command line all start here."""

from __future__ import annotations

import os
import secrets
import socket
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jido_jupyter.core import ids
from jido_jupyter.core.records import Owner
from jido_jupyter.errors import InvalidSetting
from jido_jupyter.services import settings as reading
from jido_jupyter.services.limits import Limits
from jido_jupyter.services.sessions import Sessions
from jido_jupyter.services.settings import Settings
from jido_jupyter.store import keys, places
from jido_jupyter.store.file import FileStore
from jido_jupyter.store.limiter import FileLimiter


@dataclass(frozen=True, slots=True)
class Connection:
    """Everything that a door needs."""

    settings: Settings
    sessions: Sessions
    home: str  # the store's folder
    config: str  # keys, jido.toml and the chosen model


def connect(environ: Mapping[str, str] = os.environ) -> Connection:
    """Open the store that the settings name and return what works on it.

    Raises:
        InvalidSetting: a ``JIDO_*`` variable or ``jido.toml`` holds a value without meaning.
        StoreUnavailable: the store or the keys cannot be used.
    """
    import platformdirs
    from jupyter_core.paths import jupyter_config_dir, jupyter_data_dir

    config = os.path.join(jupyter_config_dir(), "jido")
    settings = reading.read(environ, _read_toml(os.path.join(config, "jido.toml")))
    home = os.path.abspath(os.path.expanduser(settings.home or os.path.join(jupyter_data_dir(), "jido")))
    cache = places.local_cache(platformdirs.user_cache_dir("jido_jupyter"))
    store = FileStore(home, keys.load_or_create(os.path.join(config, "keys")), settings.max_session_size, cache)
    limits = Limits(FileLimiter(os.path.join(home, "limits")), settings.session_window, settings.user_window)
    sessions = Sessions(store, limits, max_sessions=settings.max_sessions, clock=_now, mint_id=_mint_id)
    return Connection(settings, sessions, home, config)


def this_process(kind: str, notebook: str | None = None) -> Owner:
    return Owner(kind, socket.gethostname(), os.getpid(), notebook)


def _now() -> datetime:
    return datetime.now(UTC)


def _mint_id() -> str:
    return ids.from_random(secrets.token_bytes(ids.ID_BYTES))


def _read_toml(path: str) -> Mapping[str, Any]:
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, OSError) as error:
        raise InvalidSetting("jido.toml", path, f"it cannot be read: {error}") from error
