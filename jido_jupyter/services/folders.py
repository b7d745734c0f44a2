"""Where settings, store, keys and index lie; none of it needs to exist, and nothing here touches it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jido_jupyter.errors import InvalidSetting
from jido_jupyter.services import settings as reading
from jido_jupyter.services.settings import Settings
from jido_jupyter.store import places


@dataclass(frozen=True, slots=True)
class Folders:
    """Where everything lies; none of it needs to exist."""

    home: str  # the store
    config: str  # keys, jido.toml and the chosen model
    cache: str  # of the index

    @property
    def keys(self) -> str:
        return os.path.join(self.config, "keys")


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of the environment and of ``jido.toml``.

    Raises:
        InvalidSetting
    """
    return reading.read(environ, _read_toml(os.path.join(_config(), "jido.toml")))


def folders_of(settings: Settings) -> Folders:
    """Return where everything lies."""
    import platformdirs
    from jupyter_core.paths import jupyter_data_dir

    home = os.path.abspath(os.path.expanduser(settings.home or os.path.join(jupyter_data_dir(), "jido")))
    return Folders(home, _config(), places.local_cache(platformdirs.user_cache_dir("jido_jupyter")))


def _config() -> str:
    from jupyter_core.paths import jupyter_config_dir

    return os.path.join(jupyter_config_dir(), "jido")


def _read_toml(path: str) -> Mapping[str, Any]:
    try:
        with open(path, "rb") as file:
            import tomllib  # most have no such file

            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:  # no TOML, or no UTF-8
        raise InvalidSetting("jido.toml", path, f"it cannot be read: {error}") from error
