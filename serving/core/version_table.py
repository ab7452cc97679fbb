"""The versions of a model, what requests hold of them, and the changes of their states."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

from serving.core.servable import Servable
from serving.core.version_records import Lease, State, Version, VersionStatus
from serving.errors import NotFoundError

_log = logging.getLogger("seqline.serving")


class VersionTable:
    """Used by the model's thread, and by requests beside it.

    Attributes:
        changed: Held while anything here changes, and notified of it.
        versions: Every version ever seen, by its number.
    """

    def __init__(self, model: str) -> None:
        """Begins without versions.

        Args:
            model: Its name, for errors and the log.
        """
        self._model = model
        self.changed = threading.Condition()
        self.versions: dict[int, Version] = {}
        # What was replaced under the number that it had, and is still used by requests.
        self._leaving: list[Version] = []

    @contextlib.contextmanager
    def lease(self, number: int | None) -> Iterator[Lease]:
        """Holds a version in memory while a request uses it.

        Args:
            number: The version wanted; None for the highest one available.

        Raises:
            NotFoundError: No such version is available.
        """
        with self.changed:
            version = self._find_available(number)
            version.in_flight += 1
            lease = Lease(version.number, _loaded(version))
        try:
            yield lease
        finally:
            del lease
            with self.changed:
                version.in_flight -= 1
                if version.state is State.UNLOADING and not version.in_flight:
                    self.changed.notify_all()

    def status(self) -> list[VersionStatus]:
        """Every version ever seen, highest number first."""
        with self.changed:
            versions = sorted(self.versions.values(), key=lambda version: -version.number)
            return [VersionStatus(version.number, version.state, version.error) for version in versions]

    def answering(self) -> dict[int, Path]:
        """The folders of what answers requests."""
        versions = list(self.versions.items())
        return {number: version.path for number, version in versions if version.state is State.AVAILABLE}

    def in_state(self, *states: State) -> list[Version]:
        """What stands there, replaced versions included."""
        return [version for version in [*self.versions.values(), *self._leaving] if version.state in states]

    def set_state(self, version: Version, state: State) -> None:
        """Moves a version on."""
        with self.changed:
            version.state = state
            self.changed.notify_all()

    def replace(self, version: Version, fresh: Version) -> None:
        """Lets requests that come now have what was loaded in the place of a version."""
        with self.changed:
            version.state, fresh.state = State.UNLOADING, State.AVAILABLE
            self._leaving.append(version)
            self.versions[version.number] = fresh
            self.changed.notify_all()

    def drained(self) -> Version | None:
        """A version that is leaving and that no request uses any more."""
        return next((version for version in self.in_state(State.UNLOADING) if not version.in_flight), None)

    def begin_unload(self, version: Version) -> None:
        """Takes no more requests for a version; it leaves when those that use it have ended."""
        self.set_state(version, State.UNLOADING)
        if not version.in_flight:
            self.finish_unload(version)

    def finish_unload(self, version: Version) -> None:
        """Gives the memory of a version back."""
        servable, version.servable = version.servable, None
        if servable:
            servable.close()
        self.set_state(version, State.END)
        self._leaving = [other for other in self._leaving if other is not version]
        _log.info("model %s version %d: unloaded", self._model, version.number)

    def _find_available(self, number: int | None) -> Version:
        available = {key: version for key, version in self.versions.items() if version.state is State.AVAILABLE}
        if number is None and available:
            return available[max(available)]
        if number is not None and number in available:
            return available[number]
        wanted = f"Latest({self._model})" if number is None else f"Specific({self._model}, {number})"
        raise NotFoundError(f"Servable not found for request: {wanted}")


def _loaded(version: Version) -> Servable:
    if version.servable is None:
        raise RuntimeError(f"version {version.number} is {version.state} but not in memory")
    return version.servable
