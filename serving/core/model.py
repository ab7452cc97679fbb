"""The life of one model's versions: found, loaded, served, unloaded.

Each model has its own thread, so a slow load or an unreachable folder of one model never holds up another. A new
version is loaded and warmed up first and only then the old one leaves; requests finish on the version that they
started on.
"""

import logging
import threading
import time
from contextlib import AbstractContextManager
from pathlib import Path

from serving.core.base_folder import BaseFolder
from serving.core.version_loads import LoadServable, VersionLoads
from serving.core.version_records import Lease, ModelConfig, State, Supervision, VersionStatus
from serving.core.version_table import VersionTable
from serving.core.versions import Latest, folder_fingerprint

_log = logging.getLogger("seqline.serving")

_IDLE_SECONDS = 1.0


class ManagedModel:
    """One model, its versions and the thread that moves them through their states."""

    def __init__(self, config: ModelConfig, load: LoadServable, supervision: Supervision) -> None:
        """Prepares the model; `start` begins the work.

        Args:
            config: Where the model lies.
            load: Loads a version folder and warms it up; raises ServingError when it cannot.
            supervision: Waits and rules.
        """
        self.config = config
        self._supervision = supervision
        self._table = VersionTable(config.name)
        self._loads = VersionLoads(config.name, self._table, load, supervision)
        self._stopping = False
        self._settled = False
        self._retired = False
        # A change of the configuration, and the last change that a whole look at the folder has followed.
        self._change = 0
        self._followed = -1
        self._complaints: dict[str, str] = {}
        self._base = BaseFolder(supervision.skip_incomplete)
        # The configuration of the last look into the base folder, and what it found.
        self._looked_for: ModelConfig | None = None
        self._folders: dict[int, Path] | None = None
        self._thread = threading.Thread(target=self._manage, name=f"seqline-model-{config.name}", daemon=True)

    # === For requests ===

    def lease(self, number: int | None) -> AbstractContextManager[Lease]:
        """As `VersionTable.lease`."""
        return self._table.lease(number)

    def status(self) -> list[VersionStatus]:
        """As `VersionTable.status`."""
        return self._table.status()

    def is_available(self) -> bool:
        """Whether any version answers requests."""
        return bool(self._table.answering())

    @property
    def settled(self) -> bool:
        """Whether everything that was found has loaded, or has failed to."""
        return self._settled

    def wait_until_settled(self, timeout: float) -> bool:
        """Waits until a version is available or everything found has failed to load; tells whether one is available.

        Args:
            timeout: Longest wait, in seconds.
        """
        with self._table.changed:
            self._table.changed.wait_for(lambda: self.is_available() or self._settled, timeout)
            return self.is_available()

    def wait_for_news(self, timeout: float) -> None:
        """Waits until a version is available, or nothing is on its way.

        Args:
            timeout: Longest wait, in seconds.
        """
        with self._table.changed:
            self._table.changed.wait_for(lambda: self.is_available() or self._settled or self._is_stuck(), timeout)

    def _is_stuck(self) -> bool:
        loading = any(version.state is State.LOADING for version in self._table.versions.values())
        return self._followed >= 0 and bool(self._complaints) and not loading

    def complaints(self) -> list[str]:
        """What is wrong with the base folder at present."""
        with self._table.changed:
            return list(self._complaints.values())

    def wait_until_followed(self, deadline: float) -> bool:
        """Waits until the versions have been brought in line with the configuration; False when time ran out.

        Args:
            deadline: On the clock of `time.monotonic`.
        """
        with self._table.changed:
            timeout = min(deadline - time.monotonic(), threading.TIMEOUT_MAX)
            return self._table.changed.wait_for(lambda: self._followed >= self._change or self._stopping, timeout)

    # === Configuration ===

    def configure(self, config: ModelConfig) -> None:
        """Changes what is wanted; the thread follows at once."""
        with self._table.changed:
            self.config = config
            self._retired = False
            self._change += 1
            self._table.changed.notify_all()

    def retire(self) -> None:
        """Unloads every version, for the model is no longer configured. Its history stays."""
        with self._table.changed:
            self._retired = True
            self._settled = False
            self._change += 1
            self._table.changed.notify_all()

    # === The manager's thread ===

    def start(self) -> None:
        """Begins to look for versions."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Ends the thread and unloads everything, in-flight requests or not."""
        with self._table.changed:
            self._stopping = True
            self._table.changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout)
        for version in self._table.in_state(State.AVAILABLE, State.UNLOADING):
            self._table.finish_unload(version)

    def _manage(self) -> None:
        while not self._stopping:
            try:
                self._poll()
            except Exception:  # a bug must not end the supervision of the model
                _log.exception("model %s: looking after its versions failed", self.config.name)
            with self._table.changed:
                self._table.changed.wait_for(self._has_work, self._supervision.poll or _IDLE_SECONDS)

    def _has_work(self) -> bool:
        return self._stopping or self._table.drained() is not None or self._followed < self._change

    def _poll(self) -> None:
        while (version := self._table.drained()) is not None:
            self._table.finish_unload(version)
        with self._table.changed:
            change, config = self._change, self.config
            folders: dict[int, Path] | None = {} if self._retired else None
        if folders is None:
            folders = self._look(config)
        if folders is not None:
            wanted = config.policy.choose(set(folders))
            self._loads.release_failures(wanted)
            while not self._stopping and self._change == change and self._step(folders, wanted):
                pass
            self._refresh(folders, wanted)
        with self._table.changed:
            self._followed = max(self._followed, change)
            if self._change == change:  # a change that came meanwhile has an outcome of its own
                self._settled = self._settled or (folders is not None and self._has_outcome(folders))
            self._table.changed.notify_all()

    def _has_outcome(self, folders: dict[int, Path]) -> bool:
        """Whether every version that was found is available or has failed for good or, without a limit, once."""
        found = [self._table.versions[number] for number in folders if number in self._table.versions]
        return bool(found) and all(version.state is not State.LOADING for version in found)

    def _look(self, config: ModelConfig) -> dict[int, Path] | None:
        """Version folders; None where everything has to stay as it is."""
        if self._supervision.poll or self._looked_for is not config or self._folders is None:
            self._looked_for = config
            self._folders = self._base.look(config, self._table.answering())
            failed = {
                f"refused {version.number}": f"version {version.number} answers as loaded from {version.path}: what "
                f"lies in {config.base_path} now cannot be loaded"
                for version in self._table.versions.values()
                if version.refused and version.state is State.AVAILABLE
            }
            self._complain(self._base.complaints | failed)
        return self._folders

    def _complain(self, complaints: dict[str, str]) -> None:
        for key, text in complaints.items():
            if self._complaints.get(key) != text:
                _log.warning("model %s: %s", self.config.name, text)
        with self._table.changed:
            self._complaints = complaints

    def _step(self, folders: dict[int, Path], wanted: set[int]) -> bool:
        """Takes one action, TensorFlow Serving's availability-preserving order; False when there is nothing to do."""
        ready = [version for version in self._table.versions.values() if version.state is State.AVAILABLE]
        unwanted = [version for version in ready if version.number not in wanted]
        if unwanted and (not wanted or len(unwanted) > 1 or len(ready) > len(unwanted)):
            self._table.begin_unload(min(unwanted, key=lambda version: version.number))
            return True
        candidates = wanted
        tries_for_ever = self._supervision.max_retries is None
        if (
            tries_for_ever
            and not ready
            and isinstance(self.config.policy, Latest)
            and all(self._failed(number) for number in wanted)
        ):
            # A server that starts while the newest version is broken serves the one before it, as it would have done
            # had it been running when the broken one came.
            candidates = set(folders)
        for number in sorted(candidates, reverse=True):
            if self._loads.may_load(number, folders[number]):
                self._loads.load(number, folders[number])
                return True
        return False

    def _refresh(self, folders: dict[int, Path], wanted: set[int]) -> None:
        """Takes anew what answers and is no longer what lies in the folder of its number.

        That is a version of another base path, or one whose copy went on after the load. What answers stays until the
        other has loaded.
        """
        if not self._supervision.poll and not any(self._has_moved(number, folders) for number in wanted):
            return
        for number in sorted(wanted):
            version, path = self._table.versions.get(number), folders[number]
            if version is None or version.state is not State.AVAILABLE:
                continue
            now = folder_fingerprint(path)
            changed = self._supervision.skip_incomplete and now != version.fingerprint
            if not (changed or self._has_moved(number, folders)):
                version.refused = None
            elif now != version.refused or time.monotonic() >= version.retry_at:
                self._loads.replace(version, path, now)

    def _has_moved(self, number: int, folders: dict[int, Path]) -> bool:
        version = self._table.versions.get(number)
        return version is not None and version.path.parent != folders[number].parent

    def _failed(self, number: int) -> bool:
        return number in self._table.versions and self._table.versions[number].error is not None
