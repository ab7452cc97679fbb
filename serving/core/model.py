"""The life of one model's versions: found, loaded, served, unloaded.

Each model has its own thread, so a slow load or an unreachable folder of one model never holds up another. A new
version is loaded and warmed up first and only then the old one leaves; requests finish on the version that they
started on.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from serving.core.base_folder import BaseFolder
from serving.core.servable import Servable
from serving.core.version_records import Lease, ModelConfig, State, Supervision, Version, VersionStatus
from serving.core.versions import Fingerprint, Latest, folder_fingerprint
from serving.errors import NotFoundError, ServingError, UnknownFailureError

_log = logging.getLogger("seqline.serving")

_IDLE_SECONDS = 1.0

LoadServable = Callable[[Path], Servable]


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
        self._load_servable = load
        self._supervision = supervision
        self._versions: dict[int, Version] = {}
        self._changed = threading.Condition()
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
        # What was replaced under the number that it had, and is still used by requests.
        self._leaving: list[Version] = []
        self._thread = threading.Thread(target=self._manage, name=f"seqline-model-{config.name}", daemon=True)

    # === For requests ===

    @contextlib.contextmanager
    def lease(self, number: int | None) -> Iterator[Lease]:
        """Holds a version in memory while a request uses it.

        Args:
            number: The version wanted; None for the highest one available.

        Raises:
            NotFoundError: No such version is available.
        """
        with self._changed:
            version = self._find_available(number)
            version.in_flight += 1
            lease = Lease(version.number, _loaded(version))
        try:
            yield lease
        finally:
            del lease
            with self._changed:
                version.in_flight -= 1
                if version.state is State.UNLOADING and not version.in_flight:
                    self._changed.notify_all()

    def status(self) -> list[VersionStatus]:
        """Every version ever seen, highest number first."""
        with self._changed:
            versions = sorted(self._versions.values(), key=lambda version: -version.number)
            return [VersionStatus(version.number, version.state, version.error) for version in versions]

    def is_available(self) -> bool:
        """Whether any version answers requests."""
        return bool(self._answering())

    @property
    def settled(self) -> bool:
        """Whether everything that was found has loaded, or has failed to."""
        return self._settled

    def wait_until_settled(self, timeout: float) -> bool:
        """Waits until a version is available or everything found has failed to load; tells whether one is available.

        Args:
            timeout: Longest wait, in seconds.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.is_available() or self._settled, timeout)
            return self.is_available()

    def wait_for_news(self, timeout: float) -> None:
        """Waits until a version is available, or nothing is on its way.

        Args:
            timeout: Longest wait, in seconds.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.is_available() or self._settled or self._is_stuck(), timeout)

    def _is_stuck(self) -> bool:
        loading = any(version.state is State.LOADING for version in self._versions.values())
        return self._followed >= 0 and bool(self._complaints) and not loading

    def complaints(self) -> list[str]:
        """What is wrong with the base folder at present."""
        with self._changed:
            return list(self._complaints.values())

    def wait_until_followed(self, deadline: float) -> bool:
        """Waits until the versions have been brought in line with the configuration; False when time ran out.

        Args:
            deadline: On the clock of `time.monotonic`.
        """
        with self._changed:
            timeout = min(deadline - time.monotonic(), threading.TIMEOUT_MAX)
            return self._changed.wait_for(lambda: self._followed >= self._change or self._stopping, timeout)

    # === Configuration ===

    def configure(self, config: ModelConfig) -> None:
        """Changes what is wanted; the thread follows at once."""
        with self._changed:
            self.config = config
            self._retired = False
            self._change += 1
            self._changed.notify_all()

    def retire(self) -> None:
        """Unloads every version, for the model is no longer configured. Its history stays."""
        with self._changed:
            self._retired = True
            self._settled = False
            self._change += 1
            self._changed.notify_all()

    # === The manager's thread ===

    def start(self) -> None:
        """Begins to look for versions."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Ends the thread and unloads everything, in-flight requests or not."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout)
        for version in [*self._versions.values(), *self._leaving]:
            if version.state in (State.AVAILABLE, State.UNLOADING):
                self._finish_unload(version)

    def _manage(self) -> None:
        while not self._stopping:
            try:
                self._poll()
            except Exception:  # a bug must not end the supervision of the model
                _log.exception("model %s: looking after its versions failed", self.config.name)
            with self._changed:
                self._changed.wait_for(self._has_work, self._supervision.poll or _IDLE_SECONDS)

    def _has_work(self) -> bool:
        return self._stopping or self._drained() is not None or self._followed < self._change

    def _poll(self) -> None:
        while (version := self._drained()) is not None:
            self._finish_unload(version)
        with self._changed:
            change, config = self._change, self.config
            folders: dict[int, Path] | None = {} if self._retired else None
        if folders is None:
            folders = self._look(config)
        if folders is not None:
            wanted = config.policy.choose(set(folders))
            self._release_failures(wanted)
            while not self._stopping and self._change == change and self._step(folders, wanted):
                pass
            self._refresh(folders, wanted)
        with self._changed:
            self._followed = max(self._followed, change)
            if self._change == change:  # a change that came meanwhile has an outcome of its own
                self._settled = self._settled or (folders is not None and self._has_outcome(folders))
            self._changed.notify_all()

    def _has_outcome(self, folders: dict[int, Path]) -> bool:
        """Whether every version that was found is available or has failed for good or, without a limit, once."""
        found = [self._versions[number] for number in folders if number in self._versions]
        return bool(found) and all(version.state is not State.LOADING for version in found)

    def _release_failures(self, wanted: set[int]) -> None:
        """What is no longer wanted may be tried afresh when it is wanted again, and is not retried meanwhile."""
        for version in self._versions.values():
            if version.number not in wanted and version.failures:
                version.failures, version.given_up = 0, False
                if version.state is State.LOADING:
                    self._set_state(version, State.END)

    def _look(self, config: ModelConfig) -> dict[int, Path] | None:
        """Version folders; None where everything has to stay as it is."""
        if self._supervision.poll or self._looked_for is not config or self._folders is None:
            self._looked_for = config
            self._folders = self._base.look(config, self._answering())
            failed = {
                f"refused {version.number}": f"version {version.number} answers as loaded from {version.path}: what "
                f"lies in {config.base_path} now cannot be loaded"
                for version in self._versions.values()
                if version.refused and version.state is State.AVAILABLE
            }
            self._complain(self._base.complaints | failed)
        return self._folders

    def _answering(self) -> dict[int, Path]:
        versions = list(self._versions.items())
        return {number: version.path for number, version in versions if version.state is State.AVAILABLE}

    def _complain(self, complaints: dict[str, str]) -> None:
        for key, text in complaints.items():
            if self._complaints.get(key) != text:
                _log.warning("model %s: %s", self.config.name, text)
        with self._changed:
            self._complaints = complaints

    def _step(self, folders: dict[int, Path], wanted: set[int]) -> bool:
        """Takes one action, TensorFlow Serving's availability-preserving order; False when there is nothing to do."""
        ready = [version for version in self._versions.values() if version.state is State.AVAILABLE]
        unwanted = [version for version in ready if version.number not in wanted]
        if unwanted and (not wanted or len(unwanted) > 1 or len(ready) > len(unwanted)):
            self._begin_unload(min(unwanted, key=lambda version: version.number))
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
            if self._may_load(number, folders[number]):
                self._load(number, folders[number])
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
            version, path = self._versions.get(number), folders[number]
            if version is None or version.state is not State.AVAILABLE:
                continue
            now = folder_fingerprint(path)
            changed = self._supervision.skip_incomplete and now != version.fingerprint
            if not (changed or self._has_moved(number, folders)):
                version.refused = None
            elif now != version.refused or time.monotonic() >= version.retry_at:
                self._replace(version, path, now)

    def _has_moved(self, number: int, folders: dict[int, Path]) -> bool:
        version = self._versions.get(number)
        return version is not None and version.path.parent != folders[number].parent

    def _replace(self, version: Version, path: Path, fingerprint: Fingerprint) -> None:
        fresh = Version(version.number, path, fingerprint=fingerprint)
        what = f"model {self.config.name} version {version.number}"
        _log.info("%s: %s is not what was loaded, loading it", what, path)
        try:
            fresh.servable = self._load_servable(path)
        except Exception as error:
            version.refused = fingerprint
            wait = self._pause(version)
            _log.error("%s: load failed, what answers stays, next try in %.0f s: %s", what, wait, error)
            return
        with self._changed:
            version.state, fresh.state = State.UNLOADING, State.AVAILABLE
            self._leaving.append(version)
            self._versions[version.number] = fresh
            self._changed.notify_all()
        _log.info("%s: available from %s", what, path)

    def _failed(self, number: int) -> bool:
        return number in self._versions and self._versions[number].error is not None

    def _may_load(self, number: int, path: Path) -> bool:
        version = self._versions.get(number)
        if version is None or (version.state is State.END and not version.failures):
            return True
        if version.state in (State.AVAILABLE, State.UNLOADING) or version.given_up:
            return False
        if self._supervision.max_retries is not None:
            return time.monotonic() >= version.retry_at
        # A failed version: again when its time has come, at once when somebody worked on the folder since.
        return time.monotonic() >= version.retry_at or folder_fingerprint(path) != version.fingerprint

    def _load(self, number: int, path: Path) -> None:
        version = self._versions.get(number) or Version(number, path)
        version.path, version.fingerprint = path, folder_fingerprint(path)
        with self._changed:
            self._versions[number] = version
        self._set_state(version, State.LOADING)
        started = time.monotonic()
        try:
            version.servable = self._load_servable(path)
        except ServingError as error:
            self._note_failure(version, error)
        except Exception as error:
            _log.exception("model %s version %d: unexpected failure of the load", self.config.name, number)
            self._note_failure(version, UnknownFailureError(f"{type(error).__name__}: {error}"))
        else:
            version.error, version.failures = None, 0
            self._set_state(version, State.AVAILABLE)
            seconds = time.monotonic() - started
            _log.info("model %s version %d: available after %.2f s", self.config.name, number, seconds)

    def _note_failure(self, version: Version, error: ServingError) -> None:
        # The trace holds the frames of the load, and with them the half-loaded model.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        limit, what = self._supervision.max_retries, f"model {self.config.name} version {version.number}"
        wait = self._pause(version)
        if limit is not None and version.failures > limit:
            version.given_up = True
            _log.error("%s: load failed %d times, given up: %s", what, version.failures, error)
        else:
            _log.error("%s: load failed, next try in %.0f s: %s", what, wait, error)
        if limit is None or version.given_up:
            version.error = error
            self._set_state(version, State.END)

    def _pause(self, version: Version) -> float:
        """Counts a failure; seconds to the next try."""
        version.failures += 1
        longer = 1 if self._supervision.max_retries is not None else 2 ** min(version.failures - 1, 32)
        wait = min(self._supervision.retry * longer, self._supervision.max_retry)
        version.retry_at = time.monotonic() + wait
        return wait

    def _begin_unload(self, version: Version) -> None:
        self._set_state(version, State.UNLOADING)
        if not version.in_flight:
            self._finish_unload(version)

    def _finish_unload(self, version: Version) -> None:
        servable, version.servable = version.servable, None
        if servable:
            servable.close()
        self._set_state(version, State.END)
        self._leaving = [other for other in self._leaving if other is not version]
        _log.info("model %s version %d: unloaded", self.config.name, version.number)

    def _drained(self) -> Version | None:
        """A version that is leaving and that no request uses any more."""
        for version in [*self._versions.values(), *self._leaving]:
            if version.state is State.UNLOADING and not version.in_flight:
                return version
        return None

    def _set_state(self, version: Version, state: State) -> None:
        with self._changed:
            version.state = state
            self._changed.notify_all()

    def _find_available(self, number: int | None) -> Version:
        available = {key: version for key, version in self._versions.items() if version.state is State.AVAILABLE}
        if number is None and available:
            return available[max(available)]
        if number is not None and number in available:
            return available[number]
        wanted = f"Latest({self.config.name})" if number is None else f"Specific({self.config.name}, {number})"
        raise NotFoundError(f"Servable not found for request: {wanted}")


def _loaded(version: Version) -> Servable:
    if version.servable is None:
        raise RuntimeError(f"version {version.number} is {version.state} but not in memory")
    return version.servable
