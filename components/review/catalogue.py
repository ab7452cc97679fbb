"""The reviews, by the name that a task gives. Light to import: what makes the samples is loaded where it is done."""

import dataclasses
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from components.other_models import OtherModel
from components.review.clips.pushed_recognizer import find_recognizer
from components.review.result import ReviewResult
from components.review.settings import (
    ClipReviewSettings,
    MaskedTextReviewSettings,
    TaggedTextReviewSettings,
    TextReviewSettings,
    VectorReviewSettings,
)
from components.review.vectors.questions import check_questions
from models.run_settings import RunSettings
from models.settings import Settings


class MakeReview(Protocol):
    """The function `review` of a review's module."""

    def __call__(
        self, model: Path, examples: Path, settings: Any, judge: Path | None, on_progress: Callable[[int, int], None]
    ) -> ReviewResult:
        """Has samples made, judged and drawn.

        Args:
            model: folder of the SavedModel.
            examples: folder of the raw held-out examples.
            settings: the section of the configuration.
            judge: folder of another model's SavedModel; None: nobody judges.
            on_progress: is told how many samples are made, and how many there will be.
        """


@dataclasses.dataclass(frozen=True)
class ReviewEntry:
    """What lets people see samples of what a model makes.

    Attributes:
        module: dotted name of the module with the function `review`.
        settings: class of the section of the configuration, which has the name of the review.
        find_judge: from that section and the run's settings to the other model that judges, None for nobody; raises
            EvaluationError for one that does not fit.
        files: keys of that section that name a file; an edit of it makes the review anew.
    """

    module: str
    settings: type[Settings]
    find_judge: Callable[[Any, RunSettings], OtherModel | None] = lambda settings, run: None
    files: tuple[str, ...] = ()

    def make(self) -> MakeReview:
        """Imports the function (and with it TensorFlow)."""
        return importlib.import_module(self.module).review


REVIEWS: dict[str, ReviewEntry] = {
    "vectors": ReviewEntry("components.review.vectors.review", VectorReviewSettings, check_questions, ("analogies",)),
    "tagged_texts": ReviewEntry("components.review.tagged_texts.review", TaggedTextReviewSettings),
    "clips": ReviewEntry("components.review.clips.review", ClipReviewSettings, find_recognizer),
    "masked_texts": ReviewEntry("components.review.masked_texts.review", MaskedTextReviewSettings),
    "texts": ReviewEntry("components.review.texts.review", TextReviewSettings),
}
