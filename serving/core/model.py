"""The life of one model's versions: found, loaded, served, unloaded.

Each model has its own thread, so a slow load or an unreachable folder of one model never holds up another. A new
version is loaded and warmed up first and only then the old one leaves; requests finish on the version that they
started on.
"""

import contextlib
import enum
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from serving.core.servable import Servable
from serving.core.versions import Latest, VersionPolicy, find_versions, folder_fingerprint
from serving.errors import NotFoundError, ServingError, UnknownFailureError

_log = logging.getLogger("seqline.serving")

LoadServable = Callable[[Path], Servable]


class State(enum.Enum):
    """Where a version stands, in the order in which it passes through."""

    START = "start"
    LOADING = "loading"
    AVAILABLE = "available"
    UNLOADING = "unloading"
    END = "end"


@dataclass(frozen=True)
class VersionStatus:
    """What is known of one version.

    Attributes:
        number: Version number.
        state: Where it stands.
        error: Why its last load failed; None where it did not.
    """

    number: int
    state: State
    error: ServingError | None


@dataclass(frozen=True)
class Lease:
    """A version held in memory for one request.

    Attributes:
        number: Version number.
        servable: The loaded version.
    """

    number: int
    servable: Servable


@dataclass
class _Version:
    number: int
    path: Path
    state: State = State.START
    error: ServingError | None = None
    servable: Servable | None = None
    in_flight: int = 0
    failures: int = 0
    retry_at: float = 0.0
    fingerprint: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True)
class ModelConfig:
    """Where a model lies and what of it is wanted.

    Attributes:
        name: Name that requests use.
        base_path: Folder with one folder per version.
        policy: Which versions to serve.
    """

    name: str
    base_path: Path
    policy: VersionPolicy


@dataclass(frozen=True)
class Timing:
    """How often things happen, in seconds.

    Attributes:
        poll: Between two looks into the base folder.
        retry: Before the first retry of a failed load; doubles with each failure.
        max_retry: Longest wait between two tries.
    """

    poll: float
    retry: float
    max_retry: float


class ManagedModel:
    """One model, its versions and the thread that moves them through their states."""

    def __init__(self, config: ModelConfig, load: LoadServable, timing: Timing) -> None:
        """Prepares the model; `start` begins the work.

        Args:
            config: Where the model lies.
            load: Loads a version folder and warms it up; raises ServingError when it cannot.
            timing: Waits.
        """
        self.config = config
        self._load_servable = load
        self._timing = timing
        self._versions: dict[int, _Version] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._settled = False
        self._complaints: dict[str, str] = {}
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
        return any(version.state is State.AVAILABLE for version in self._versions.values())

    def wait_until_settled(self, timeout: float) -> bool:
        """Waits until a version is available or everything found has failed to load; tells whether one is available.

        Args:
            timeout: Longest wait, in seconds.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.is_available() or self._settled, timeout)
            return self.is_available()

    def complaints(self) -> list[str]:
        """What is wrong with the base folder at present."""
        with self._changed:
            return list(self._complaints.values())

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
        for version in list(self._versions.values()):
            if version.state in (State.AVAILABLE, State.UNLOADING):
                self._finish_unload(version)

    def _manage(self) -> None:
        while not self._stopping:
            try:
                self._poll()
            except Exception:  # a bug must not end the supervision of the model
                _log.exception("model %s: looking after its versions failed", self.config.name)
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._drained() is not None, self._timing.poll)

    def _poll(self) -> None:
        while (version := self._drained()) is not None:
            self._finish_unload(version)
        folders = self._look()
        if folders is None:
            return
        wanted = self.config.policy.choose(set(folders))
        while not self._stopping and self._step(folders, wanted):
            pass
        with self._changed:
            self._settled = self._settled or bool(self._versions)
            self._changed.notify_all()

    def _look(self) -> dict[int, Path] | None:
        """Complete version folders; None when the base folder cannot be read, and then everything stays as it is."""
        try:
            folders = find_versions(self.config.base_path)
        except OSError as error:
            self._complain({"base": f"base path {self.config.base_path} cannot be read: {error}"})
            return None
        complaints = {
            str(path): f"version folder {path} holds no saved_model.pb (yet): not loaded"
            for path in folders.incomplete.values()
        }
        if not folders.complete and not folders.incomplete:
            complaints["base"] = (
                f"base path {self.config.base_path} holds no version folder (a folder named by a number)"
            )
        self._complain(complaints)
        return folders.complete

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
        if not ready and isinstance(self.config.policy, Latest) and all(self._failed(number) for number in wanted):
            # A server that starts while the newest version is broken serves the one before it, as it would have done
            # had it been running when the broken one came.
            candidates = set(folders)
        for number in sorted(candidates, reverse=True):
            if self._may_load(number, folders[number]):
                self._load(number, folders[number])
                return True
        return False

    def _failed(self, number: int) -> bool:
        return number in self._versions and self._versions[number].error is not None

    def _may_load(self, number: int, path: Path) -> bool:
        version = self._versions.get(number)
        if version is None or (version.state is State.END and version.error is None):
            return True
        if version.state is not State.END:
            return False
        # A failed version: again when its time has come, at once when somebody worked on the folder since.
        return time.monotonic() >= version.retry_at or folder_fingerprint(path) != version.fingerprint

    def _load(self, number: int, path: Path) -> None:
        version = self._versions.get(number) or _Version(number, path)
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

    def _note_failure(self, version: _Version, error: ServingError) -> None:
        # The trace holds the frames of the load, and with them the half-loaded model.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        wait = min(self._timing.retry * 2**version.failures, self._timing.max_retry)
        version.failures += 1
        version.retry_at = time.monotonic() + wait
        version.error = error
        self._set_state(version, State.END)
        _log.error(
            "model %s version %d: load failed, next try in %.0f s: %s", self.config.name, version.number, wait, error
        )

    def _begin_unload(self, version: _Version) -> None:
        self._set_state(version, State.UNLOADING)
        if not version.in_flight:
            self._finish_unload(version)

    def _finish_unload(self, version: _Version) -> None:
        servable, version.servable = version.servable, None
        if servable:
            servable.close()
        self._set_state(version, State.END)
        _log.info("model %s version %d: unloaded", self.config.name, version.number)

    def _drained(self) -> _Version | None:
        """A version that is leaving and that no request uses any more."""
        for version in self._versions.values():
            if version.state is State.UNLOADING and not version.in_flight:
                return version
        return None

    def _set_state(self, version: _Version, state: State) -> None:
        with self._changed:
            version.state = state
            self._changed.notify_all()

    def _find_available(self, number: int | None) -> _Version:
        available = {key: version for key, version in self._versions.items() if version.state is State.AVAILABLE}
        if number is None and available:
            return available[max(available)]
        if number is not None and number in available:
            return available[number]
        wanted = f"Latest({self.config.name})" if number is None else f"Specific({self.config.name}, {number})"
        raise NotFoundError(f"Servable not found for request: {wanted}")


def _loaded(version: _Version) -> Servable:
    if version.servable is None:
        raise RuntimeError(f"version {version.number} is {version.state} but not in memory")
    return version.servable
