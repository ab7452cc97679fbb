"""Corpus chrF, which TFMA lacks."""

from typing import Any

import sacrebleu

from components.evaluation.metrics.corpus_score import corpus_score_computations
from components.evaluation.metrics.per_model import PerModelMetric


class CorpusChrf(PerModelMetric):
    """chrF2 of the corpus, 0 to 100: sacrebleu's `nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no`."""

    def __init__(self, name: str = "chrf") -> None:
        super().__init__(_computations, name)


def _computations(name: str, model_name: str) -> list[Any]:
    return corpus_score_computations(name, model_name, sacrebleu.CHRF)
