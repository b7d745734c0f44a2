"""The Jupyter Server extension: puts the sessions under ``<base_url>/jido/api/v1/``."""

from __future__ import annotations

import os
from typing import Final

from jupyter_server.extension.application import ExtensionApp
from traitlets import Unicode, default

from jido_jupyter.errors import JidoError
from jido_jupyter.server import audit
from jido_jupyter.server.doorway import Doorway
from jido_jupyter.server.handlers import DocumentHandler, JidoHandler, UnknownHandler, handler_of
from jido_jupyter.server.routes import DOCUMENT, EVENTS, ROUTES
from jido_jupyter.server.streams import EventsHandler
from jido_jupyter.server.table import API
from jido_jupyter.server.watch import Watch

_BASES: Final[dict[str, type[JidoHandler]]] = {DOCUMENT.path: DocumentHandler, EVENTS.path: EventsHandler}


class JidoExtension(ExtensionApp):
    """Enabled by installing the package; takes its settings from ``JIDO_*`` and ``jido.toml`` as every door does."""

    name = "jido_jupyter"
    extension_url = "/lab"
    load_other_extensions = True

    owner = Unicode(
        config=True,
        help="User whose sessions are those of this server's kernels. Any other user gets a store of his own. "
        "Empty: all who are let in share one store.",
    )

    @default("owner")
    def _owner_of_the_hub(self) -> str:
        return os.environ.get("JUPYTERHUB_USER", "")

    def initialize_settings(self) -> None:
        assert self.serverapp is not None
        doorway = Doorway()
        self.settings["jido_doorway"] = doorway
        self.settings["jido_watch"] = Watch(doorway)
        self.settings["jido_owner"] = self.owner
        self.serverapp.event_logger.register_event_schema(audit.SCHEMA)  # type: ignore[union-attr]
        try:
            doorway.access()
        except JidoError as error:  # the server starts all the same, and each request says why
            self.log.warning("jido_jupyter: %s", error)

    def initialize_handlers(self) -> None:
        for route in ROUTES:
            self.handlers.append((route.pattern, handler_of(route, _BASES.get(route.path, JidoHandler))))
        self.handlers.append((f"/{API}(?:/.*)?", UnknownHandler))

    async def stop_extension(self) -> None:
        await self.settings["jido_watch"].stop()
        await self.settings["jido_doorway"].close()
