"""How much of the texts a vocabulary does not know: measured on the counted units, told, and judged."""

import dataclasses
from collections.abc import Iterator, Mapping

import tensorflow as tf

from components.errors import DataError
from components.findings import Findings
from models.tokenizers.special import UNKNOWN_TOKEN_ID
from models.tokenizers.tokenizer import Tokenizer
from models.tokenizers.vocabularies import Vocabularies, least_vocabulary_size

# Past this share a person should hear of it.
_TOLD = 0.01
_JUDGED = 1000
_UNITS_AT_ONCE = 16_384

# Per feature, each unit with its count.
Counts = Mapping[str, Mapping[str, int]]


@dataclasses.dataclass(frozen=True)
class Share:
    """How many tokens there are, and how many of them are unknown."""

    tokens: int
    unknown: int

    @property
    def value(self) -> float:
        """0 to 1."""
        return self.unknown / self.tokens


Shares = Mapping[str, Mapping[str, Share]]


def unknown_tokens(counts: Mapping[str, int], tokenizer: Tokenizer) -> Share:
    """Counts the tokens that these units are. No text is cut for its length."""
    tokens = unknown = 0
    every_unit = list(counts)
    for start in range(0, len(every_unit), _UNITS_AT_ONCE):
        units = every_unit[start : start + _UNITS_AT_ONCE]
        token_ids = tokenizer.unit_ids(tf.constant(units))
        times = tf.constant([counts[unit] for unit in units], tf.int64)
        are_unknown = tf.cast(token_ids == UNKNOWN_TOKEN_ID, tf.int64)
        tokens += int(tf.reduce_sum(token_ids.row_lengths() * times))
        unknown += int(tf.reduce_sum(tf.reduce_sum(are_unknown, axis=-1) * times))
    return Share(tokens, unknown)


def measure_unknown(counts: Mapping[str, Counts], vocabularies: Vocabularies) -> dict[str, dict[str, Share]]:
    """Measures the share of unknown tokens.

    Args:
        counts: of each split, of each text feature, each unit with its count.
        vocabularies: what was learned from the train split.

    Returns:
        Of each split, of each text feature that has units, the share.
    """
    shares: dict[str, dict[str, Share]] = {}
    for split, of_split in counts.items():
        for name in (*vocabularies.pieces, *vocabularies.words):
            share = unknown_tokens(of_split[name], vocabularies.tokenizer(name))
            if share.tokens:
                shares.setdefault(split, {})[name] = share
    return shares


def unknown_findings(shares: Shares, vocabularies: Vocabularies, train: Counts) -> Findings:
    """What is told of the unknown tokens.

    Args:
        shares: from `measure_unknown`.
        vocabularies: what was learned.
        train: the counted units of the train split.

    Returns:
        As data the greatest share of each split, and a warning for each share that a person should hear of.
    """
    return Findings(
        page=None,
        data={
            f"unknown_{split}": max(share.value for share in of_split.values()) for split, of_split in shares.items()
        },
        warnings=[*_warnings(shares, vocabularies), *_too_small(vocabularies, train)],
    )


def check_unknown(shares: Shares, vocabularies: Vocabularies) -> None:
    """Raises DataError where more is unknown than `tokenizer.max_unknown_fraction` allows.

    A split beside train is judged from `_JUDGED` tokens on: in a few sentences most words may well be new.
    """
    most = vocabularies.settings.max_unknown_fraction
    found = [
        f"{_unknown(share, name, split)}; tokenizer.max_unknown_fraction allows {most:.2%}. {_way_out(vocabularies)}"
        for split, of_split in shares.items()
        for name, share in of_split.items()
        if share.value > most and (split == "train" or share.tokens >= _JUDGED)
    ]
    if found:
        raise DataError("\n".join(found))


def _warnings(shares: Shares, vocabularies: Vocabularies) -> Iterator[str]:
    for split, of_split in shares.items():
        for name, share in of_split.items():
            if share.value > _TOLD:
                yield f"{_unknown(share, name, split)}. {_way_out(vocabularies)}"


def _unknown(share: Share, name: str, split: str) -> str:
    return f"{share.value:.2%} of the tokens of {name} in split {split} are unknown"


def _too_small(vocabularies: Vocabularies, train: Counts) -> Iterator[str]:
    settings = vocabularies.settings
    for name in vocabularies.pieces:
        least = least_vocabulary_size(dict(train[name]), settings)
        if least > settings.vocabulary_size and not settings.shared:
            yield (
                f"tokenizer.vocabulary_size {settings.vocabulary_size} has no room for every character of {name} in "
                f"the train split; the rarest are unknown. {least} has"
            )


def _way_out(vocabularies: Vocabularies) -> str:
    settings = vocabularies.settings
    if settings.unit == "sentencepiece":
        return (
            f"Raise tokenizer.character_coverage ({settings.character_coverage:g}), or set tokenizer.byte_fallback, "
            "which knows everything"
        )
    if settings.unit == "word":
        return (
            f"Raise tokenizer.vocabulary_size ({settings.vocabulary_size}), or take tokenizer.unit wordpiece, which "
            "knows the parts of words"
        )
    return f"Raise tokenizer.vocabulary_size ({settings.vocabulary_size}), or give train texts with the same characters"
