"""Errors of the pipeline's stages that are meant for the user."""

from models.errors import SeqlineError


class DataError(SeqlineError):
    """The data cannot be used as they are."""


class EvaluationError(SeqlineError):
    """The evaluation cannot be done as the settings ask."""


class NotServableError(Exception):
    """The model must not be pushed; the message is the reason that the user reads."""
