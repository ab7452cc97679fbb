"""What is known of models and their versions."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from serving.core.servable import Servable
from serving.core.versions import Fingerprint, VersionPolicy
from serving.errors import ServingError


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
class Version:
    """A version as its model's thread knows it.

    Attributes:
        number: Version number.
        path: Folder.
        state: Where it stands.
        error: Why it is not available, once that is told.
        servable: What is loaded.
        in_flight: Requests that use it.
        failures: Loads that failed since it was last available.
        retry_at: When it may be tried again, on the clock of `time.monotonic`.
        fingerprint: Of the folder at the last try.
        given_up: It is not tried again while it stays wanted.
        refused: Fingerprint of the folder that should have taken its place, and failed to load.
    """

    number: int
    path: Path
    state: State = State.START
    error: ServingError | None = None
    servable: Servable | None = None
    in_flight: int = 0
    failures: int = 0
    retry_at: float = 0.0
    fingerprint: Fingerprint = (0, 0, 0)
    given_up: bool = False
    refused: Fingerprint | None = None


@dataclass(frozen=True)
class ModelConfig:
    """Where a model lies and what of it is wanted.

    Attributes:
        name: Name that requests use.
        base_path: Folder with one folder per version.
        policy: Which versions to serve.
        labels: Names of versions, and their numbers.
    """

    name: str
    base_path: Path
    policy: VersionPolicy
    labels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Supervision:
    """How a model's versions are looked after; times in seconds.

    Attributes:
        poll: Between two looks into the base folder; 0: one look for each configuration.
        retry: Before the first retry of a failed load; doubles with each failure where retries have no limit.
        max_retry: Longest wait between two tries.
        max_retries: Tries after the first, all of them `retry` apart and not told; then the version is given up.
            None: it is tried for ever, and its error is told meanwhile.
        skip_incomplete: Leave a folder without saved_model.pb alone.
    """

    poll: float
    retry: float
    max_retry: float
    max_retries: int | None = None
    skip_incomplete: bool = True
