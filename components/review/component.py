"""Review: TFX's Evaluator counts; what a model makes must also be seen or heard, by a machine and by people."""

import contextlib
import os
from pathlib import Path

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples, Model, ModelBlessing
from tfx.utils import path_utils

from components.artifacts import PushedOtherModel, ReviewedSamples
from components.blessing import give, is_blessed
from components.findings import Findings
from components.paths import local_copy, local_output
from components.review.catalogue import REVIEWS
from components.review.data_uri import from_data_uri
from components.review.page import render_page
from components.review.result import FILE, Picture, ReviewResult, Sound
from models.progress import tell

PAGE = "page.html"
_PARTIAL = ".partial"


@component
def Review(  # noqa: N802
    model: InputArtifact[Model],
    examples: InputArtifact[Examples],
    evaluation_blessing: InputArtifact[ModelBlessing],
    review: OutputArtifact[ReviewedSamples],
    blessing: OutputArtifact[ModelBlessing],
    name: Parameter[str],
    split: Parameter[str],
    settings_json: Parameter[str],
    recognizer: InputArtifact[PushedOtherModel] = None,
) -> None:
    """Has samples made and judged, and blesses a model that the evaluator blessed and this judge does not refuse.

    Args:
        model: the exported model.
        examples: raw examples.
        evaluation_blessing: the evaluator's verdict.
        review: what `load_review` reads, the samples as files, and `page.html`.
        blessing: the verdict of both, for Pusher.
        name: key of `REVIEWS`.
        split: name of the held-out split.
        settings_json: the settings of the review as JSON.
        recognizer: another run's model that says what it takes the samples for; none: nobody judges.
    """
    with (
        local_copy(path_utils.serving_model_path(model.uri)) as exported,
        local_copy(artifact_utils.get_split_uri([examples], split)) as held_out,
        local_copy(recognizer.uri) if recognizer else contextlib.nullcontext() as judge,
    ):
        settings = REVIEWS[name].settings.model_validate_json(settings_json)
        result = REVIEWS[name].make()(exported, held_out, settings, judge, _tell)
    with local_output(review.uri) as folder:
        write(result, folder)
    Findings(result.metrics, result.shortfalls, PAGE).keep(review)
    give(blessing, model, is_blessed(evaluation_blessing) and not result.shortfalls)


def write(result: ReviewResult, folder: Path) -> None:
    """Writes the samples' files, the page and `review.json`, each of them whole or not at all.

    Args:
        result: of the review.
        folder: exists, and is empty.
    """
    partial = folder / _PARTIAL
    partial.mkdir()
    for medium in (medium for sample in result.samples for medium in sample.media):
        if isinstance(medium, Sound | Picture) and medium.file:
            (partial / medium.file).parent.mkdir(parents=True, exist_ok=True)
            (partial / medium.file).write_bytes(from_data_uri(medium.content))
    (partial / PAGE).write_text(render_page(result), encoding="utf-8")
    # The one that programs look for comes last.
    for path in sorted(partial.iterdir()):
        os.rename(path, folder / path.name)
    (partial / FILE).write_text(result.model_dump_json(indent=1), encoding="utf-8")
    os.rename(partial / FILE, folder / FILE)
    partial.rmdir()


def _tell(completed: int, total: int) -> None:
    tell(f"{completed} of {total} samples made", completed, total, stage="Review")
