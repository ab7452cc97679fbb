"""ClipReview: TFX's Evaluator counts; what a model generates must also be heard, by a machine and by people."""

import logging
import os
from pathlib import Path

from tfx.components.evaluator import constants
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples, Model, ModelBlessing
from tfx.utils import path_utils

from components.artifacts import ReviewedClips
from components.clip_review.page import render_page
from components.clip_review.pictures import from_data_uri
from components.clip_review.result import FILE, ClipReviewResult
from components.clip_review.review import CLIPS_FOLDER, review
from components.clip_review.settings import ClipReviewSettings

PAGE = "page.html"
_PARTIAL = ".partial"
_CURRENT_MODEL = (
    constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY,
    constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY,
)

_progress = logging.getLogger("seqline.progress")


@component
def ClipReview(  # noqa: N802
    model: InputArtifact[Model],
    examples: InputArtifact[Examples],
    evaluation_blessing: InputArtifact[ModelBlessing],
    clip_review: OutputArtifact[ReviewedClips],
    blessing: OutputArtifact[ModelBlessing],
    split: Parameter[str],
    settings_json: Parameter[str],
    recognizer: Parameter[str] = "",
    recognizer_hash: Parameter[str] = "",
    code_hash: Parameter[str] = "",
) -> None:
    """Has clips generated and judged, and blesses a model that the evaluator blessed and the recognizer understands.

    Args:
        model: the exported model.
        examples: raw examples.
        evaluation_blessing: the evaluator's verdict.
        clip_review: what `load_review` reads, the clips as WAV files, and `page.html`.
        blessing: the verdict of both, for Pusher.
        split: name of the held-out split.
        settings_json: `ClipReviewSettings` as JSON.
        recognizer: folder of the recognizer's version; "" for none.
        recognizer_hash: of its files; not read here, it makes the cache notice another model.
        code_hash: hash of the page's template; not read here, it makes the cache notice an edited one.
    """
    result = review(
        Path(path_utils.serving_model_path(model.uri)),
        Path(artifact_utils.get_split_uri([examples], split)),
        ClipReviewSettings.model_validate_json(settings_json),
        Path(recognizer) if recognizer else None,
        _tell,
    )
    write(result, Path(clip_review.uri))
    _bless(blessing, evaluation_blessing, model, not result.shortfalls)


def write(result: ClipReviewResult, folder: Path) -> None:
    """Writes the WAV files, the page and `clips.json`, each of them whole or not at all.

    Args:
        result: of the review.
        folder: exists, and is empty.
    """
    partial = folder / _PARTIAL
    (partial / CLIPS_FOLDER).mkdir(parents=True)
    for clip in result.clips:
        (partial / clip.file).write_bytes(from_data_uri(clip.wav))
    (partial / PAGE).write_text(render_page(result), encoding="utf-8")
    (partial / FILE).write_text(result.model_dump_json(indent=1), encoding="utf-8")
    # The one that programs look for comes last.
    for name in (CLIPS_FOLDER, PAGE, FILE):
        os.rename(partial / name, folder / name)
    partial.rmdir()


def _bless(blessing: ModelBlessing, evaluated: ModelBlessing, model: Model, passed: bool) -> None:
    blessed = passed and evaluated.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY) == 1
    uri, identity = _CURRENT_MODEL
    blessing.set_string_custom_property(uri, model.uri)
    blessing.set_int_custom_property(identity, model.id)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, int(blessed))
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    (Path(blessing.uri) / name).touch()


def _tell(completed: int, total: int) -> None:
    progress = {"stage": "ClipReview", "completed": completed, "total": total}
    _progress.info("%d of %d clips generated", completed, total, extra={"progress": progress})
