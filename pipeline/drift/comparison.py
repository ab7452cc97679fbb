"""The traffic of a model beside the data that it was trained on."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# Registers the TF Text operations that tokenizers use.
import tensorflow_text  # noqa: F401

from components.requests import row_of
from components.serving_validator.answers import read_examples
from models.tokenizers.vocabularies import Vocabularies
from pipeline.drift.distance import Counts, Distance, counted, distance
from pipeline.drift.measures import OF_TEXTS, OF_TOKENS, token_ids_of
from pipeline.drift.settings import DriftSettings
from pipeline.drift.traffic import DriftError, Traffic
from pipeline.report.source import Source

# Enough for shares to be right within half a percent.
_MOST_TEXTS = 20_000


@dataclass(frozen=True)
class Compared:
    """One measure of one feature.

    Attributes:
        feature: what was compared.
        measure: how; a field of `DriftSettings`.
        distance: what came out.
        limit: what is allowed.
        texts: of the traffic that were looked at.
        drifted: whether it is past its limit, and more than chance.
        names: for people, of the categories that are not named already.
    """

    feature: str
    measure: str
    distance: Distance
    limit: float
    texts: int
    drifted: bool
    names: Mapping[Hashable, str]


def compare_traffic(traffic: Traffic, source: Source, settings: DriftSettings) -> list[Compared]:
    """Compares each text feature with the train split, and the labels that were answered with those of the evaluation.

    Args:
        traffic: of the model.
        source: the run that made it.
        settings: the limits.

    Raises:
        DriftError: what the run was trained on is gone.
    """
    examples, vocabulary = source.folder("examples"), source.folder("vocabulary")
    if examples is None or vocabulary is None:
        raise DriftError(
            f"Traffic is compared with what the model was trained on. Received: run {source.run.run_id}, whose "
            "examples are gone. Run it again: seqline run"
        )
    vocabularies = Vocabularies.load(str(vocabulary))
    asked = {feature: texts for feature, texts in traffic.texts.items() if texts}
    # Sound would be read for nothing.
    rows = [row_of(one) for one in read_examples(examples / "Split-train", _MOST_TEXTS)] if asked else []
    found: list[Compared] = []
    for feature, texts in asked.items():
        trained = [_text(row.get(feature)) for row in rows]
        if trained:
            compared = _of_feature(feature, trained, texts, vocabularies, settings)
            found += [one for one in compared if one.measure != "lengths" or feature not in traffic.in_parts]
    return [*found, *_answers(traffic, source, settings)]


def _of_feature(
    feature: str, trained: Sequence[str], asked: Sequence[str], vocabularies: Vocabularies, settings: DriftSettings
) -> Iterator[Compared]:
    for name, of_text in OF_TEXTS.items():
        yield from _compared(
            feature, name, [of_text(text) for text in trained], [of_text(text) for text in asked], settings
        )
    if feature not in vocabularies.pieces:
        return
    tokenizer = vocabularies.tokenizer(feature)
    before, now = (token_ids_of(texts, tokenizer) for texts in (trained, asked))
    names: dict[Hashable, str] = dict(enumerate(vocabularies.pieces[feature]))
    for name, of_tokens in OF_TOKENS.items():
        counts = [of_tokens(one) for one in before], [of_tokens(one) for one in now]
        yield from _compared(feature, name, counts[0], counts[1], settings, names)


def _answers(traffic: Traffic, source: Source, settings: DriftSettings) -> Iterator[Compared]:
    evaluated = source.evaluated
    if traffic.answers and evaluated:
        key = evaluated.judging.prediction_key
        given = [counted(np.ravel(one.outputs.get(key, [])).tolist()) for one in evaluated.predictions]
        yield from _compared(key, "answers", given, [counted([answer]) for answer in traffic.answers], settings)


def _compared(
    feature: str,
    measure: str,
    before: Sequence[Counts],
    now: Sequence[Counts],
    settings: DriftSettings,
    names: Mapping[Hashable, str] | None = None,
) -> Iterator[Compared]:
    if (found := distance(before, now)) is not None:
        limit = getattr(settings, measure)
        drifted = len(now) >= settings.min_texts and found.is_beyond(limit)
        yield Compared(feature, measure, found, limit, len(now), drifted, names or {})


def _text(value: object) -> str:
    values = [value] if isinstance(value, bytes) else list(value) if isinstance(value, list) else []
    return b" ".join(values).decode("utf-8", "replace")
