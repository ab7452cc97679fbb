"""Settings of the tokenizer section."""

from typing import Literal

import pydantic

from models.settings import Settings, only_for, only_with


class TokenizerSettings(Settings):
    """How text is cut into the units that the model sees."""

    unit: Literal["word", "wordpiece", "sentencepiece", "character", "byte"] = pydantic.Field(
        "wordpiece", json_schema_extra=only_for("text")
    )
    """What a token is. word: a whole word, rare ones unknown; wordpiece: a frequent part of a word; sentencepiece: the
    same by the library of that name; character; byte."""
    model: Literal["unigram", "bpe"] = pydantic.Field(
        "unigram", json_schema_extra=only_for("text") | only_with(unit="sentencepiece")
    )
    """How the pieces are found: unigram: those by which the texts are most probable (Kudo, 2018); bpe: frequent pairs,
    merged again and again (Sennrich et al., 2016)."""
    vocabulary_size: int = pydantic.Field(
        8000, ge=5, json_schema_extra=only_with(unit=("word", "wordpiece", "sentencepiece", "character"))
    )
    """Tokens kept at most, the four special ones included; byte always has 260."""
    minimum_count: int = pydantic.Field(1, ge=1, json_schema_extra=only_with(unit=("word", "character")))
    """Times that a word or character must stand in the train split to be known."""
    character_coverage: float = pydantic.Field(
        1.0, gt=0, le=1, json_schema_extra=only_for("text") | only_with(unit="sentencepiece")
    )
    """Share of all characters of the train split, by how often they occur, that the pieces must hold; the rarest are
    left out. 0.9995 suits scripts with thousands of characters."""
    byte_fallback: bool = pydantic.Field(False, json_schema_extra=only_for("text") | only_with(unit="sentencepiece"))
    """Write a character that the pieces lack as its UTF-8 bytes, 256 tokens more, so that nothing is unknown."""
    lowercase: bool = False
    """Fold upper case to lower case before the text is cut."""
    normalization: Literal["none", "nfc", "nfkc"] = "nfkc"
    """Unicode normalisation form applied first. nfkc also unifies full-width and compatibility characters."""
    max_sequence_length: int = pydantic.Field(256, ge=1)
    """Tokens of a text at most; what goes beyond is cut off at the end."""
    max_unknown_fraction: float = pydantic.Field(
        0.5, ge=0, le=1, json_schema_extra=only_with(unit=("word", "wordpiece", "sentencepiece", "character"))
    )
    """Share of a split's tokens (0 to 1) that may be unknown before the run stops, in each text feature; past 0.01 it
    is told. Words of a small corpus leave a third of new texts unknown and are still learned from; past a half, a text
    is told by what it lacks. A split beside train is judged from 1,000 tokens on."""
    shared: bool = pydantic.Field(False, json_schema_extra=only_for("several_texts"))
    """One vocabulary for all text features of the task (source and target) instead of one for each."""
