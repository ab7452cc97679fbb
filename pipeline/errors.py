"""The errors of this room that are meant for the user's eyes."""

from models.errors import SeqlineError


class ConfigError(SeqlineError):
    """The configuration breaks one or more rules; one line each."""


class LockedError(SeqlineError):
    """Another run writes to the same output folder."""


class NothingPushedError(SeqlineError):
    """There is no pushed model to serve."""


class PortInUseError(SeqlineError):
    """Another program listens on the port that the server should take."""


class ServerNotReadyError(SeqlineError):
    """The server that was started, or should be running, does not answer."""


class StageNotReady(SeqlineError):
    """A stage was asked for that there is not, or before those that it needs."""


class StageFailed(Exception):
    """A stage of the pipeline failed.

    Attributes:
        stage: id of the stage.
        cause: what the stage raised; None where TFX recorded a failure and did not raise, as for missing inputs.
        detail: TFX's own text of the failure where there is no cause.
    """

    def __init__(self, stage: str, cause: BaseException | None, detail: str = "") -> None:
        super().__init__(f"{stage} failed: {cause if cause is not None else detail}")
        self.stage = stage
        self.cause = cause
        self.detail = detail
