"""Analogy questions in the form of Google's questions-words.txt (Mikolov et al., 2013a, section 4.1)."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from components.errors import EvaluationError
from components.other_models import OtherModel
from components.review.settings import VectorReviewSettings
from models.run_settings import RunSettings

SETTING = "vectors.analogies"


class Question(NamedTuple):
    """a is to b as c is to d."""

    group: str
    a: str
    b: str
    c: str
    d: str


def check_questions(settings: VectorReviewSettings, run: RunSettings) -> OtherModel | None:
    """Reads the questions, so that a mistake shows before a run starts; no other model judges.

    Raises:
        EvaluationError: the file cannot be read, or is of another form.
    """
    list(read_questions(settings.analogies))
    return None


def read_questions(name: str) -> Iterator[Question]:
    """The questions of a file, in its order; none for "".

    Raises:
        EvaluationError: the file cannot be read, or is of another form.
    """
    if not name:
        return
    try:
        lines = Path(name).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(
            f"{SETTING} must be a text file of questions. Received: {name}, which cannot be read ({error}). "
            "Name another one, or leave it empty."
        ) from error
    group = ""
    for number, line in enumerate(lines, 1):
        words = line.split()
        if words[:1] == [":"]:
            group = " ".join(words[1:])
        elif len(words) == 4:
            yield Question(group, *words)
        elif words:
            raise EvaluationError(
                f'A line of {SETTING} must be ": NAME OF A GROUP" or four words. Received: {name}, line {number}: '
                f"{line!r}. Mend the line, or remove it."
            )
