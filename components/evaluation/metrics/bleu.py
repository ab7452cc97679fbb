"""Corpus BLEU. TFMA's own takes `str` and fails on the bytes that a TensorFlow model returns."""

from typing import Any

import sacrebleu

from components.evaluation.metrics.corpus_score import corpus_score_computations
from components.evaluation.metrics.per_model import PerModelMetric


class CorpusBleu(PerModelMetric):
    """BLEU of the corpus, 0 to 100, cased, 13a tokens: sacrebleu's `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp`."""

    def __init__(self, name: str = "bleu") -> None:
        super().__init__(_computations, name)


def _computations(name: str, model_name: str) -> list[Any]:
    return corpus_score_computations(name, model_name, _metric)


def _metric() -> sacrebleu.BLEU:
    # `force` only silences a warning about text that looks tokenized.
    return sacrebleu.BLEU(tokenize="13a", force=True)
