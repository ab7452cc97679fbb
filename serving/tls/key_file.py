"""The file of keys, whose changes count from the next connection on."""

import logging
import threading
from pathlib import Path

from serving.errors import ServerStartError
from serving.tls.keys import Keys, read_keys

_log = logging.getLogger("seqline.serving")


class KeyFile:
    """Gives the keys of the moment. Those before stay in force while the file cannot be used."""

    def __init__(self, path: str) -> None:
        """Reads the file.

        Args:
            path: TensorFlow Serving's SSLConfig.

        Raises:
            ServerStartError: It cannot be used.
        """
        self.path = path
        self._lock = threading.Lock()
        self._stamp = self._look()
        self._keys = read_keys(path)

    def current(self) -> Keys:
        """The keys, read anew where the file has changed."""
        stamp = self._look()
        with self._lock:
            if stamp and stamp != self._stamp:
                self._stamp = stamp
                self._follow()
            return self._keys

    def _follow(self) -> None:
        try:
            keys = read_keys(self.path)
        except ServerStartError as error:
            _log.error("the new keys are not followed, the old ones stay: %s", error)
            return
        if keys.client_verify != self._keys.client_verify:
            # A gRPC port is told once whether clients have to show a certificate.
            _log.error("the new keys of %s are not followed: a change of client_verify needs a restart", self.path)
            return
        self._keys = keys
        _log.info("%s has changed: its keys count for new connections, until %s", self.path, keys.ends.date())

    def _look(self) -> tuple[int, ...] | None:
        try:
            facts = Path(self.path).stat()
        except OSError:  # gone for a moment
            return None
        # The change time too: rights may come after the content.
        return facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size
