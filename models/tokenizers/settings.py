"""Settings of the tokenizer section."""

from typing import Literal

import pydantic

from models.settings import Settings, only_for, only_with


class TokenizerSettings(Settings):
    """How text is cut into the units that the model sees."""

    unit: Literal["word", "wordpiece", "character", "byte"] = pydantic.Field(
        "wordpiece", json_schema_extra=only_for("text")
    )
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
    shared: bool = pydantic.Field(False, json_schema_extra=only_for("several_texts"))
    """One vocabulary for all text features of the task (source and target) instead of one for each."""
