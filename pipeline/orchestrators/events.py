"""What an orchestrator tells about its stages."""

import dataclasses
import enum
from collections.abc import Callable


class State(enum.StrEnum):
    """What became of a stage."""

    STARTED = "started"
    DONE = "done"
    CACHED = "cached"
    FAILED = "failed"


@dataclasses.dataclass(frozen=True)
class StageEvent:
    """A stage has started or ended.

    Attributes:
        stage: id of the stage.
        state: started, or how it ended.
        seconds: since its start.
    """

    stage: str
    state: State
    seconds: float = 0.0


Listener = Callable[[StageEvent], None]
