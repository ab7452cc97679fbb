"""The `drift` section of the configuration file."""

import pydantic

from models.settings import Settings


class DriftSettings(Settings):
    """From where on `seqline drift` says that what a served model is asked is no longer what it was trained on.

    Limits are Jensen-Shannon distances, 0 (the same) to 1 (nothing in common). A distance that as many texts of the
    training data would reach by chance never counts.
    """

    lengths: float = pydantic.Field(default=0.2, ge=0.0, le=1.0)
    """Greatest distance of the lengths of texts, in words."""

    tokens: float = pydantic.Field(default=0.3, ge=0.0, le=1.0)
    """Greatest distance of how often each token comes."""

    unknown: float = pydantic.Field(default=0.1, ge=0.0, le=1.0)
    """Greatest distance of the share of unknown tokens."""

    scripts: float = pydantic.Field(default=0.1, ge=0.0, le=1.0)
    """Greatest distance of the scripts (Latin, Cyrillic, Hangul, ...) that letters are of."""

    answers: float = pydantic.Field(default=0.2, ge=0.0, le=1.0)
    """Greatest distance of the labels that are answered from those that the model gave in its evaluation."""

    min_texts: int = pydantic.Field(default=50, ge=2)
    """Fewer texts than this are told, and never counted as drift."""
