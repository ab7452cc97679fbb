"""Artifact types that TFX lacks."""

from tfx.dsl.components.base.base_component import BaseComponent  # noqa: F401  (tfx.types alone imports in a circle)
from tfx.types.artifact import Artifact


class Vocabulary(Artifact):
    """Folder with the tokenizer's pieces per feature and the labels, as `models.tokenizers.vocabularies` writes it."""

    TYPE_NAME = "SeqlineVocabulary"


class DataReport(Artifact):
    """Folder with `report.json`: what the data gate found, rule by rule."""

    TYPE_NAME = "SeqlineDataReport"


class ReviewedSamples(Artifact):
    """Folder with `review.json`, `page.html` and files to hear or see: what a model makes and how it is judged."""

    TYPE_NAME = "SeqlineReviewedSamples"


class PushedOtherModel(Artifact):
    """Version folder of a model that another run has pushed, a SavedModel, or a file of its vectors.

    TFX's Model is a model of this run.
    """

    TYPE_NAME = "SeqlineOtherModel"
