"""Keeps an eye on certificates: a change is taken up, and an end is told of before it comes."""

import datetime
import logging
import threading
import time

from serving.tls.key_file import KeyFile
from serving.tls.keys import Keys

_log = logging.getLogger("seqline.serving")
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BETWEEN_WORDS = 24 * 3600.0
_WARN_BEFORE = datetime.timedelta(days=30)


class KeyWatch:
    """Looks at the file of keys, and says once a day, and after each change, what its certificate comes to."""

    def __init__(self, file: KeyFile) -> None:
        self._file = file
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="seqline-key-watch", daemon=True)

    def start(self) -> None:
        """Says what there is to say, and begins to look."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopped.set()

    def _watch(self) -> None:
        told, again = None, 0.0
        while True:
            keys = self._file.current()
            if keys is not told or time.monotonic() >= again:
                told, again = keys, time.monotonic() + _SECONDS_BETWEEN_WORDS
                tell_of_the_end(self._file.path, keys, datetime.datetime.now(datetime.UTC))
            if self._stopped.wait(_SECONDS_BETWEEN_LOOKS):
                return


def tell_of_the_end(path: str, keys: Keys, now: datetime.datetime) -> None:
    """Logs what is wrong, or soon will be, with the time of a certificate."""
    way_out = "put a new one and its key into the file, which counts without a restart"
    if now >= keys.ends:
        _log.error("the certificate of %s expired on %s, and clients refuse it: %s", path, keys.ends.date(), way_out)
    elif now < keys.begins:
        _log.error("the certificate of %s counts from %s on only, and clients refuse it", path, keys.begins.isoformat())
    elif keys.ends - now <= _WARN_BEFORE:
        days = (keys.ends - now).days
        _log.warning("the certificate of %s expires on %s, in %d days: %s", path, keys.ends.date(), days, way_out)
