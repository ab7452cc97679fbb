"""Corpus scores of sacrebleu, computed in Beam from statistics that add up.

The mean of sentence scores is another, incomparable number; here the result is what sacrebleu gives for the whole
corpus, however Beam splits it. sacrebleu has no public way to these statistics (chrF's score object does not hold
them), hence the two private methods of its metric base class.
"""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import sacrebleu
import sacrebleu.metrics.base

from components.evaluation.metrics.inputs import label_text, model_outputs, to_text
from components.evaluation.metrics.sums import SumMetric, Sums

_Metric = sacrebleu.metrics.base.Metric


# Made once in each process: sacrebleu's tokenizers hold caches, which do not travel to workers.
@functools.cache
def bleu() -> _Metric:
    """Sacrebleu's `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp`."""
    # `force` only silences a warning about text that looks tokenized.
    return sacrebleu.BLEU(tokenize="13a", force=True)


@functools.cache
def chrf() -> _Metric:
    """Sacrebleu's `nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no`."""
    return sacrebleu.CHRF()


class CorpusBleu(SumMetric):
    """BLEU of the corpus, 0 to 100, cased, 13a tokens. TFMA's own takes `str` and fails on a model's bytes.

    Args:
        name: under which it is reported.
        output: the text that is compared with the right answer.
    """

    def __init__(self, name: str, output: str) -> None:
        super().__init__(name, functools.partial(_statistics, metric=bleu, output=output), _score_of(bleu))


class CorpusChrf(SumMetric):
    """chrF2 of the corpus, 0 to 100, which TFMA lacks; arguments as of `CorpusBleu`."""

    def __init__(self, name: str, output: str) -> None:
        super().__init__(name, functools.partial(_statistics, metric=chrf, output=output), _score_of(chrf))


def _statistics(element: Any, model_name: str, metric: Callable[[], _Metric], output: str) -> Mapping[int, int]:
    """The statistics of one pair, by their place in sacrebleu's list."""
    hypothesis = to_text(model_outputs(element, model_name)[output])
    reference = label_text(element, model_name)
    [statistics] = metric()._extract_corpus_statistics([hypothesis], [[reference]])
    return dict(enumerate(statistics))


def _score_of(metric: Callable[[], _Metric]) -> Callable[[Sums], float]:
    return functools.partial(_score, metric=metric)


def _score(sums: Sums, metric: Callable[[], _Metric]) -> float:
    if not sums:
        return math.nan
    return float(metric()._compute_score_from_stats([sums[place] for place in range(len(sums))]).score)
