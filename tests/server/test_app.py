"""The extension as jupyter_server sees it."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import JupyterServerAuthWarning

from jido_jupyter import _jupyter_server_extension_points
from jido_jupyter.server.app import JidoExtension


def test_every_handler_asks_who_is_there(jp_configurable_serverapp, jp_environ) -> None:
    """A server that allows no unauthenticated access finds nothing to warn about in our handlers."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", JupyterServerAuthWarning)
        app: ServerApp = jp_configurable_serverapp()

    assert app.extension_manager.extensions["jido_jupyter"].enabled


def test_installing_is_enabling() -> None:
    """The package carries the configuration that switches it on."""
    config = json.loads(Path("jupyter-config/server-config/jido_jupyter.json").read_text())

    assert config == {"ServerApp": {"jpserver_extensions": {"jido_jupyter": True}}}
    assert _jupyter_server_extension_points() == [{"module": "jido_jupyter", "app": JidoExtension}]
