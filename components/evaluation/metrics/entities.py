"""Precision, recall and F1 of entities, as conlleval counts them and seqeval in its default mode.

An entity is right where its type and both of its ends are. Where it begins and ends is told by conlleval's rules, so
that tags need not be legal: B, S and, behind another type or O, also I and E begin one. A tag without a prefix, such as
a part of speech, is an entity of one token. What is counted adds up, so Beam may split the examples as it likes.
"""

import functools
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from components.evaluation.metrics.inputs import label_texts, model_outputs, to_texts
from components.evaluation.metrics.sums import PerModelMetric, Sums, derived_from_sums

_OUTSIDE = "O"
# What is counted, with the type; tokens have none.
_RIGHT, _ANSWERED, _LABELLED, _TOKENS, _RIGHT_TOKENS = "right", "answered", "labelled", "tokens", "right tokens"
_PARTS = (_RIGHT, _ANSWERED, _LABELLED)

# First token, last token, type.
Entity = tuple[int, int, str]


class EntityMetric(PerModelMetric):
    """A metric that follows from the counts of entities.

    Args:
        name: key of `FROM_COUNTS`, or one score of a type, such as `entity_f1/person`, named in advance so that it can
            have a threshold.
        output: the tags that the model answers.
    """

    def __init__(self, name: str, output: str) -> None:
        values = FROM_COUNTS.get(name, functools.partial(_score_of_type, name=name))
        addends = functools.partial(counts_of, output=output)
        super().__init__(derived_from_sums("_entity_counts", addends, values), name)


def counts_of(element: Any, model_name: str, output: str) -> Mapping[tuple[str, str], int]:
    """What one example adds to the counts. Where the answer is shorter than the label, O is taken for the rest."""
    labels = label_texts(element, model_name)
    answers = to_texts(model_outputs(element, model_name)[output])[: len(labels)]
    answers += [_OUTSIDE] * (len(labels) - len(answers))
    labelled, answered = set(entities(labels)), set(entities(answers))
    counts: Counter[tuple[str, str]] = Counter()
    for kind, found in ((_RIGHT, labelled & answered), (_ANSWERED, answered), (_LABELLED, labelled)):
        counts.update((kind, entity[2]) for entity in found)
    counts[_TOKENS, ""] += len(labels)
    counts[_RIGHT_TOKENS, ""] += sum(label == answer for label, answer in zip(labels, answers, strict=True))
    return counts


def entities(tags: Sequence[str]) -> list[Entity]:
    """The entities that tags mark."""
    found: list[Entity] = []
    begin, before = 0, ("", "")
    for place, tag in enumerate([*tags, _OUTSIDE]):
        now = _parts(tag)
        if before[1] and _begins(before, now):
            found.append((begin, place - 1, before[1]))
        if _begins(before, now):
            begin = place
        before = now
    return found


def _parts(tag: str) -> tuple[str, str]:
    """Prefix and type; both "" for O."""
    if tag == _OUTSIDE:
        return "", ""
    prefix, hyphen, kind = tag.partition("-")
    return (prefix, kind) if hyphen and prefix in ("B", "I", "E", "S") else ("S", tag)


def _begins(before: tuple[str, str], now: tuple[str, str]) -> bool:
    """Whether what was before ends, and with it something else may begin."""
    return before[1] != now[1] or now[0] in ("B", "S") or before[0] in ("E", "S")


def entity_scores(counts: Sums) -> dict[str, float]:
    """`entity_precision/<type>`, `entity_recall/<type>` and `entity_f1/<type>` of every type of label or answer."""
    return {
        f"{name}/{kind}": score
        for kind in sorted({kind for _, kind in counts if kind})
        for name, score in _scores(*(counts[part, kind] for part in _PARTS)).items()
    }


def _scores(right: float, answered: float, labelled: float) -> dict[str, float]:
    """0 to 1; without any case to judge by (0 / 0) 0, as in seqeval."""
    return {
        "entity_precision": right / answered if answered else 0.0,
        "entity_recall": right / labelled if labelled else 0.0,
        "entity_f1": 2 * right / (answered + labelled) if answered + labelled else 0.0,
    }


def overall(counts: Sums, name: str) -> float:
    """A score over the entities of all types together (micro average); undefined without examples."""
    totals = [sum(count for (kind, _), count in counts.items() if kind == part) for part in _PARTS]
    return _scores(*totals)[name] if counts else math.nan


def macro_f1(counts: Sums) -> float:
    """Mean F1 over the types of label or answer, each counting the same; undefined where there is none."""
    scores = [score for name, score in entity_scores(counts).items() if name.startswith("entity_f1/")]
    return sum(scores) / len(scores) if scores else math.nan


def token_accuracy(counts: Sums) -> float:
    """Share of the tokens with the right tag, 0 to 1."""
    return counts[_RIGHT_TOKENS, ""] / counts[_TOKENS, ""] if counts[_TOKENS, ""] else math.nan


def _score_of_type(counts: Sums, name: str) -> float:
    """Undefined when the type never occurs."""
    return entity_scores(counts).get(name, math.nan)


# A dict holds values by the names under which they are reported.
FROM_COUNTS: dict[str, Callable[[Sums], Any]] = {
    **{name: functools.partial(overall, name=name) for name in ("entity_precision", "entity_recall", "entity_f1")},
    "macro_entity_f1": macro_f1,
    "token_accuracy": token_accuracy,
    "entity_scores": entity_scores,
}
