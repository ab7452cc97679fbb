"""Looks into the file of models now and then, and follows its changes."""

import logging
import threading
import time

from serving.core.model_config import read_config_file
from serving.core.store import ModelStore
from serving.errors import ServingError
from serving.settings import ModelsSettings

_log = logging.getLogger("seqline.serving")


class ConfigWatch:
    """Applies the file each time, changed or not; what is wrong with it is logged, and the old models stay."""

    def __init__(self, store: ModelStore, settings: ModelsSettings) -> None:
        self._store = store
        self._settings = settings
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="seqline-config-watch", daemon=True)

    def start(self) -> None:
        """Begins to look, where a file and a period are given."""
        if self._settings.config_file and self._settings.config_file_poll_seconds:
            self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopped.set()

    def _watch(self) -> None:
        period = self._settings.config_file_poll_seconds
        while not self._stopped.wait(period):
            try:
                # No longer than a minute: a new model that never comes up must not hide later changes of the file.
                self._store.reload(read_config_file(self._settings.config_file), time.monotonic() + max(60.0, period))
            except ServingError as error:
                _log.error("%s is not followed: %s", self._settings.config_file, error)
            except Exception:
                _log.exception("%s is not followed", self._settings.config_file)
