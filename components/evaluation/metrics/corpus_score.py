"""Corpus scores of sacrebleu, computed in Beam from statistics that add up."""

from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam
import sacrebleu.metrics.base

from components.evaluation.metrics.inputs import label_text, model_outputs, to_text
from components.evaluation.tfma import tfma

_OUTPUT = "target"


class CorpusScore(beam.CombineFn):
    """Sums the n-gram statistics of all pairs and scores the sum once.

    The mean of sentence scores is another, incomparable number; here the result is what sacrebleu gives for the whole
    corpus, however Beam splits it. sacrebleu has no public way to these statistics (chrF's score object does not hold
    them), hence the two private methods of its metric base class.
    """

    def __init__(self, key: Any, make_metric: Callable[[], sacrebleu.metrics.base.Metric]) -> None:
        self._key = key
        self._make_metric = make_metric
        self._metric: sacrebleu.metrics.base.Metric | None = None

    def __getstate__(self) -> dict[str, Any]:
        # Workers build their own: sacrebleu's tokenizers hold caches.
        return {**self.__dict__, "_metric": None}

    @property
    def metric(self) -> sacrebleu.metrics.base.Metric:
        """The sacrebleu metric of this process."""
        if self._metric is None:
            self._metric = self._make_metric()
        return self._metric

    def create_accumulator(self) -> list[int]:
        """No statistics yet."""
        return []

    def add_input(self, accumulator: list[int], element: Any) -> list[int]:
        """Adds the statistics of one pair."""
        model_name = self._key.model_name
        hypothesis = to_text(model_outputs(element, model_name)[_OUTPUT])
        reference = label_text(element, model_name)
        [statistics] = self.metric._extract_corpus_statistics([hypothesis], [[reference]])
        return _sum(accumulator, statistics)

    def merge_accumulators(self, accumulators: Iterable[list[int]]) -> list[int]:
        """Adds up the statistics of several workers."""
        total: list[int] = []
        for accumulator in accumulators:
            total = _sum(total, accumulator)
        return total

    def extract_output(self, accumulator: list[int]) -> dict[Any, float]:
        """The score of the corpus, 0 to 100."""
        if not accumulator:
            return {self._key: float("nan")}
        return {self._key: float(self.metric._compute_score_from_stats(list(accumulator)).score)}


def _sum(total: list[int], statistics: list[int]) -> list[int]:
    if not total or not statistics:
        return total or list(statistics)
    return [a + b for a, b in zip(total, statistics, strict=True)]


def corpus_score_computations(
    name: str, model_name: str, make_metric: Callable[[], sacrebleu.metrics.base.Metric]
) -> list[Any]:
    """TFMA's description of one corpus score of one model."""
    key = tfma.metrics.MetricKey(name=name, model_name=model_name)
    return [tfma.metrics.MetricComputation(keys=[key], preprocessors=None, combiner=CorpusScore(key, make_metric))]
