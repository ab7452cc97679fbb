"""Artifact types that TFX lacks."""

from tfx.dsl.components.base.base_component import BaseComponent  # noqa: F401  (tfx.types alone imports in a circle)
from tfx.types.artifact import Artifact


class Vocabulary(Artifact):
    """Folder with the tokenizer's pieces per feature and the labels, as `models.tokenizers.vocabularies` writes it."""

    TYPE_NAME = "SeqlineVocabulary"


class DataReport(Artifact):
    """Folder with `report.json`: what the data gate found, rule by rule."""

    TYPE_NAME = "SeqlineDataReport"


class ReviewedClips(Artifact):
    """Folder with `clips.json`, `page.html` and WAV files in `clips`: what a model generates and who hears what."""

    TYPE_NAME = "SeqlineReviewedClips"
