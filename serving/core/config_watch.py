"""Looks into the file of models now and then, and follows its changes."""

import logging
import threading
import time
from pathlib import Path

from serving.core.model_config import read_config_file
from serving.core.store import ModelStore
from serving.errors import InvalidRequestError, ServingError
from serving.settings import ModelsSettings

_log = logging.getLogger("seqline.serving")

# No longer: a new model that never comes up must not hide that another one cannot be had either.
_LONGEST_WAIT_SECONDS = 60.0


class ConfigWatch:
    """Applies the file each time, changed or not; what is wrong with it is logged, and the old models stay."""

    def __init__(self, store: ModelStore, settings: ModelsSettings) -> None:
        self._store = store
        self._settings = settings
        self._file = Path(settings.config_file)
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
        while not self._stopped.wait(self._settings.config_file_poll_seconds):
            try:
                self._follow()
            except ServingError as error:
                _log.error("%s is not followed: %s", self._settings.config_file, error)
            except Exception:
                _log.exception("%s is not followed", self._settings.config_file)

    def _follow(self) -> None:
        content = self._content()
        configs = read_config_file(self._settings.config_file)
        if not configs and b"model_config_list" not in content:
            # A file that is being written looks like this for a moment.
            raise InvalidRequestError("it names no models; the models stay. To serve none, write: model_config_list {}")
        deadline = time.monotonic() + max(_LONGEST_WAIT_SECONDS, self._settings.config_file_poll_seconds)
        # What was corrected counts at once, whatever is still being waited for.
        self._store.reload(configs, deadline, abandoned=lambda: self._stopped.is_set() or self._content() != content)

    def _content(self) -> bytes:
        try:
            return self._file.read_bytes()
        except OSError:
            return b""
