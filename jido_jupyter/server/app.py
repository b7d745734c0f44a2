"""The Jupyter Server extension: puts the sessions under ``<base_url>/jido/api/v1/``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from jupyter_server.extension.application import ExtensionApp

from jido_jupyter.errors import JidoError
from jido_jupyter.server.doorway import Doorway
from jido_jupyter.server.handlers import ROUTES

WORKERS: Final = 4  # threads that wait for the disk; the event loop never does


class JidoExtension(ExtensionApp):
    """Enabled by installing the package; takes its settings from ``JIDO_*`` and ``jido.toml`` as every door does."""

    name = "jido_jupyter"
    extension_url = "/lab"
    load_other_extensions = True

    def initialize_settings(self) -> None:
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="jido-store")
        doorway = Doorway(self._workers)
        self.settings["jido_doorway"] = doorway
        try:
            doorway.connection()
        except JidoError as error:  # the server starts all the same, and each request says why
            self.log.warning("jido_jupyter: %s", error)

    def initialize_handlers(self) -> None:
        self.handlers.extend(ROUTES)

    async def stop_extension(self) -> None:
        self._workers.shutdown(wait=False)
