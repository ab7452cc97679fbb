"""Loading of versions, and the tries after one that failed."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from serving.core.servable import Servable
from serving.core.version_records import State, Supervision, Version
from serving.core.version_table import VersionTable
from serving.core.versions import Fingerprint, folder_fingerprint
from serving.errors import ServingError, UnknownFailureError

_log = logging.getLogger("seqline.serving")

LoadServable = Callable[[Path], Servable]


class VersionLoads:
    """Loads versions of one model; used by its thread alone."""

    def __init__(self, model: str, table: VersionTable, load: LoadServable, supervision: Supervision) -> None:
        """Prepares loads.

        Args:
            model: Its name, for the log.
            table: Where the versions stand.
            load: Loads a version folder and warms it up; raises ServingError when it cannot.
            supervision: Waits and rules.
        """
        self._model = model
        self._table = table
        self._load_servable = load
        self._supervision = supervision

    def may_load(self, number: int, path: Path) -> bool:
        """Whether it is time for a try."""
        version = self._table.versions.get(number)
        if version is None or (version.state is State.END and not version.failures):
            return True
        if version.state in (State.AVAILABLE, State.UNLOADING) or version.given_up:
            return False
        if self._supervision.max_retries is not None:
            return time.monotonic() >= version.retry_at
        # A failed version: again when its time has come, at once when somebody worked on the folder since.
        return time.monotonic() >= version.retry_at or folder_fingerprint(path) != version.fingerprint

    def load(self, number: int, path: Path) -> None:
        """Tries it; a failure is noted with the version."""
        version = self._table.versions.get(number) or Version(number, path)
        version.path, version.fingerprint = path, folder_fingerprint(path)
        with self._table.changed:
            self._table.versions[number] = version
        self._table.set_state(version, State.LOADING)
        started = time.monotonic()
        try:
            version.servable = self._load_servable(path)
        except ServingError as error:
            self._note_failure(version, error)
        except Exception as error:
            _log.exception("%s: unexpected failure of the load", self._named(version))
            self._note_failure(version, UnknownFailureError(f"{type(error).__name__}: {error}"))
        else:
            version.error, version.failures = None, 0
            self._table.set_state(version, State.AVAILABLE)
            _log.info("%s: available after %.2f s", self._named(version), time.monotonic() - started)

    def replace(self, version: Version, path: Path, fingerprint: Fingerprint) -> None:
        """Loads what lies in the folder of a version that answers, which goes on doing so until then."""
        what = self._named(version)
        fresh = Version(version.number, path, fingerprint=fingerprint)
        _log.info("%s: %s is not what was loaded, loading it", what, path)
        try:
            fresh.servable = self._load_servable(path)
        except Exception as error:
            version.refused = fingerprint
            wait = self._pause(version)
            _log.error("%s: load failed, what answers stays, next try in %.0f s: %s", what, wait, error)
            return
        self._table.replace(version, fresh)
        _log.info("%s: available from %s", what, path)

    def release_failures(self, wanted: set[int]) -> None:
        """What is no longer wanted may be tried afresh when it is wanted again, and is not retried meanwhile."""
        for version in self._table.versions.values():
            if version.number not in wanted and version.failures:
                version.failures, version.given_up = 0, False
                if version.state is State.LOADING:
                    self._table.set_state(version, State.END)

    def _note_failure(self, version: Version, error: ServingError) -> None:
        # The trace holds the frames of the load, and with them the half-loaded model.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        limit, what = self._supervision.max_retries, self._named(version)
        wait = self._pause(version)
        if limit is not None and version.failures > limit:
            version.given_up = True
            _log.error("%s: load failed %d times, given up: %s", what, version.failures, error)
        else:
            _log.error("%s: load failed, next try in %.0f s: %s", what, wait, error)
        if limit is None or version.given_up:
            version.error = error
            self._table.set_state(version, State.END)

    def _pause(self, version: Version) -> float:
        """Counts a failure; seconds to the next try."""
        version.failures += 1
        longer = 1 if self._supervision.max_retries is not None else 2 ** min(version.failures - 1, 32)
        wait = min(self._supervision.retry * longer, self._supervision.max_retry)
        version.retry_at = time.monotonic() + wait
        return wait

    def _named(self, version: Version) -> str:
        return f"model {self._model} version {version.number}"
