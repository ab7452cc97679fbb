"""Says where a model is no better than an answer that does not look at the input, whatever bounds are set or not."""

from collections.abc import Iterator, Mapping

from components.evaluation.catalogue import ANSWERS_ALIKE, METRICS, RIGHT_ANSWERS_ALIKE, MetricEntry

# Sums in another order may differ in the last digits.
_ROUNDING = 1e-9


def warnings(values: Mapping[str, float]) -> list[str]:
    """What a person should hear of the metrics of a model, one sentence each.

    Args:
        values: metric to value over all examples, those that `baseline/` begins among them.
    """
    return [*_constant_answers(values), *_no_better_than_a_guess(values)]


def _constant_answers(values: Mapping[str, float]) -> Iterator[str]:
    if values.get(ANSWERS_ALIKE) == 1.0 and values.get(RIGHT_ANSWERS_ALIKE, 1.0) < 1.0:
        yield "the model gives one and the same answer, or an empty one, to every example; it has not learned the task"


def _no_better_than_a_guess(values: Mapping[str, float]) -> Iterator[str]:
    for name, value in values.items():
        entry = METRICS.get(name)
        if entry is None or entry.baseline is None:
            continue
        reached = values.get(entry.baseline.metric) if entry.baseline.metric else entry.baseline.value
        perfect = value == (entry.least if entry.lower_is_better else entry.greatest)
        if reached is not None and not perfect and not _is_better(entry, value, reached):
            yield (
                f"{name} is {value:.4g}, no better than the {reached:.4g} of {entry.baseline.answer}; the model has "
                "not learned the task"
            )


def _is_better(entry: MetricEntry, value: float, reached: float) -> bool:
    gain = reached - value if entry.lower_is_better else value - reached
    return gain > _ROUNDING
