"""What a tokenizer makes of the texts at hand, before a run has learned it from all of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import tensorflow as tf

from components.unknown_share import check_unknown, measure_unknown, unknown_findings
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.vocabularies import Vocabularies, learn_vocabulary, split_units
from models.too_long import Count, Limit, refuse

_TEXTS_AT_ONCE = 1024

# Of each split, of each text feature, some texts.
Texts = Mapping[str, Mapping[str, Sequence[str]]]


def examine_tokens(texts: Texts, settings: TokenizerSettings, limits: Iterable[Limit], all_texts: bool) -> list[str]:
    """Learns vocabularies from the texts of train, and applies them.

    Args:
        texts: at hand.
        settings: the tokenizer section.
        limits: of the text features, of `models.too_long`.
        all_texts: whether these are all texts of the data. If not, words that train has elsewhere would look unknown,
            so the unknown ones are not told of words.

    Returns:
        What a person would want to hear, one sentence each.

    Raises:
        DataError: more tokens are unknown than a run would let pass.
        SeqlineError: texts are too long, and the settings say that they are a mistake.
    """
    if not any(texts.get("train", {}).values()):
        return []
    counts = {split: {name: _count(some, settings) for name, some in of.items()} for split, of in texts.items()}
    train = counts.get("train", {})
    vocabularies = Vocabularies(settings, _learn(train, settings))
    too_long = list(_count_too_long(texts, vocabularies, limits))
    refuse(too_long)
    found = [count.message for count in too_long]
    if all_texts or settings.unit != "word":
        shares = measure_unknown(counts, vocabularies)
        if all_texts:
            check_unknown(shares, vocabularies)
        found += unknown_findings(shares, vocabularies, train).warnings
    return found


def _learn(train: Mapping[str, Mapping[str, int]], settings: TokenizerSettings) -> dict[str, list[str]]:
    if not settings.shared:
        return {name: learn_vocabulary(dict(units), settings) for name, units in train.items()}
    total: Counter[str] = Counter()
    for units in train.values():
        total.update(units)
    return dict.fromkeys(train, learn_vocabulary(dict(total), settings))


def _count(texts: Sequence[str], settings: TokenizerSettings) -> dict[str, int]:
    units: Counter[bytes] = Counter()
    for some in _batches(texts):
        units.update(split_units(tf.constant(some), settings).flat_values.numpy().tolist())
    return {unit.decode(): count for unit, count in units.items()}


def _count_too_long(texts: Texts, vocabularies: Vocabularies, limits: Iterable[Limit]) -> Iterator[Count]:
    for split, of in texts.items():
        for limit in (limit for limit in limits if limit.feature in of):
            tokenizer = vocabularies.tokenizer(limit.feature)
            batches = _batches(of[limit.feature])
            lengths = [length for some in batches for length in tokenizer.lengths(tf.constant(some)).numpy().tolist()]
            if lengths and max(lengths) > limit.most:
                too_long, cut = (sum(length > most for length in lengths) for most in (limit.most, limit.tokens))
                yield Count(limit, split, len(lengths), too_long, cut, max(lengths))


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[start : start + _TEXTS_AT_ONCE] for start in range(0, len(texts), _TEXTS_AT_ONCE))
