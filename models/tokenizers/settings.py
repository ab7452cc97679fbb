"""Settings of the tokenizer section."""

from typing import Literal

import pydantic

from models.settings import Settings, only_for, only_with


class TokenizerSettings(Settings):
    """How text is cut into the units that the model sees."""

    unit: Literal["word", "wordpiece", "character", "byte"] = "wordpiece"
    """What a token is. word: a whole word, rare ones unknown; wordpiece: a frequent part of a word; character; byte."""
    vocabulary_size: int = pydantic.Field(
        8000, ge=5, json_schema_extra=only_with(unit=("word", "wordpiece", "character"))
    )
    """Tokens kept at most, the four special ones included; byte always has 260."""
    lowercase: bool = False
    """Fold upper case to lower case before the text is cut."""
    normalization: Literal["none", "nfc", "nfkc"] = "nfkc"
    """Unicode normalisation form applied first. nfkc also unifies full-width and compatibility characters."""
    max_sequence_length: int = pydantic.Field(256, ge=1)
    """Tokens of a text at most; what goes beyond is cut off at the end."""
    max_unknown_fraction: float = pydantic.Field(
        0.5, ge=0, le=1, json_schema_extra=only_with(unit=("word", "wordpiece", "character"))
    )
    """Share of a split's tokens (0 to 1) that may be unknown before the run stops, in each text feature; past 0.01 it
    is told. Words of a small corpus leave a third of new texts unknown and are still learned from; past a half, a text
    is told by what it lacks. A split beside train is judged from 1,000 tokens on."""
    shared: bool = pydantic.Field(False, json_schema_extra=only_for("several_texts"))
    """One vocabulary for all text features of the task (source and target) instead of one for each."""
