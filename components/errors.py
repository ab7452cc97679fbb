"""Errors of the pipeline's stages that are meant for the user."""

from models.errors import SeqlineError


def printable(text: str) -> str:
    r"""Returns the text so that any terminal, log and UTF-8 file can hold it.

    Names of files and keys of JSON may hold what is no character (surrogates); such a one becomes `\udce9`.
    """
    return text.encode("utf-8", "backslashreplace").decode()


class DataError(SeqlineError):
    """The data cannot be used as they are."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class EvaluationError(SeqlineError):
    """The evaluation cannot be done as the settings ask."""


class NotServableError(Exception):
    """The model must not be pushed; the message is the reason that the user reads."""
