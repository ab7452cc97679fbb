import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import sacrebleu

from components.evaluation.metrics import auc
from components.evaluation.metrics.bits import BitsPerUnit, CrossEntropy, Perplexity
from components.evaluation.metrics.confusion import ConfusionMetric, Counts, accuracy, class_scores, macro_f1
from components.evaluation.metrics.corpus_score import CorpusBleu, CorpusChrf, bleu, chrf
from components.evaluation.metrics.majority import MajorityShare
from components.evaluation.metrics.ratio import Ratio

HYPOTHESES = ["the cat sat on the mat .", "A dog, running!", "nothing in common here", "", "Ein Haus am See"]
REFERENCES = ["the cat sat on a mat .", "a dog is running!", "völlig anders", "leer", "Ein Haus am See"]


@dataclasses.dataclass
class Element:
    labels: Any
    predictions: Any


def pair(label: str, outputs: dict[str, Any]) -> Element:
    return Element(np.array([label.encode()], dtype=object), outputs)


def combine(metric: Any, elements: list[Element], parts: int) -> Any:
    """Computes a metric as Beam does: several accumulators, one of them empty, merged."""
    combiner = metric.computations(model_names=[""])[0].combiner
    accumulators = [combiner.create_accumulator() for _ in range(parts + 1)]
    for i, element in enumerate(elements):
        accumulators[i % parts] = combiner.add_input(accumulators[i % parts], element)
    [value] = combiner.extract_output(combiner.merge_accumulators(accumulators)).values()
    return value


def corpus_value(metric: Any, parts: int) -> float:
    elements = [
        pair(r, {"text": np.array(h.encode(), dtype=object), "score": np.float32(-1)})
        for h, r in zip(HYPOTHESES, REFERENCES, strict=True)
    ]
    return combine(metric, elements, parts)


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_bleu_and_chrf_are_those_of_the_corpus_however_it_is_split(parts: int):
    of_bleu = sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES]).score
    of_chrf = sacrebleu.corpus_chrf(HYPOTHESES, [REFERENCES]).score
    mean_of_sentences = np.mean(
        [sacrebleu.sentence_bleu(h, [r]).score for h, r in zip(HYPOTHESES, REFERENCES, strict=True)]
    )

    assert corpus_value(CorpusBleu("m", output="text"), parts) == pytest.approx(of_bleu, abs=1e-9)
    assert corpus_value(CorpusChrf("m", output="text"), parts) == pytest.approx(of_chrf, abs=1e-9)
    assert abs(of_bleu - mean_of_sentences) > 1, "the test must be able to tell the two apart"


@pytest.mark.parametrize("parts", [1, 3])
def test_the_most_frequent_answer_is_counted_over_all_answers_of_all_examples(parts: int):
    answers = [np.array(row, dtype=object) for row in ([b"a", b"b", b""], [b"a", b"", b""], b"c", b"")]
    elements = [pair("", {"right": row}) for row in answers]
    assert combine(MajorityShare("m", output="right"), elements, parts) == 2 / 4
    assert math.isnan(combine(MajorityShare("m", output="right"), elements[3:], 1))


def test_a_corpus_score_of_nothing_is_undefined():
    assert math.isnan(combine(CorpusBleu("m", output="text"), [], 1))


@pytest.mark.parametrize("make", [bleu, chrf])
def test_the_signature_is_the_one_of_the_docstring(make: Any):
    metric = make()
    metric.corpus_score(HYPOTHESES, [REFERENCES])
    signature = str(metric.get_signature()).partition("|version")[0]
    assert f"`{signature}`" in make.__doc__


COUNTS = Counts({("a", "a"): 3, ("a", "b"): 1, ("b", "b"): 2, ("b", "a"): 2, ("never seen", "a"): 2})


def test_accuracy_and_class_scores_by_hand():
    assert accuracy(COUNTS) == 5 / 10
    assert class_scores(COUNTS) == {
        "precision/a": 3 / 7,
        "recall/a": 3 / 4,
        "f1/a": pytest.approx(2 * (3 / 7) * (3 / 4) / (3 / 7 + 3 / 4)),
        "precision/b": 2 / 3,
        "recall/b": 2 / 4,
        "f1/b": pytest.approx(4 / 7),
        "precision/never seen": 0.0,
        "recall/never seen": 0.0,
        "f1/never seen": 0.0,
    }
    assert macro_f1(COUNTS) == pytest.approx((6 / 11 + 4 / 7 + 0) / 3)
    assert math.isnan(accuracy(Counts())) and math.isnan(macro_f1(Counts()))


def test_confusion_counts_merge():
    elements = [pair("a", {"tag": np.array(answer)}) for answer in (b"a", b"b", b"a")]
    metric = ConfusionMetric("accuracy", output="tag")
    assert combine(metric, elements, parts=2) == {("a", "a"): 2, ("a", "b"): 1}


def exact_auc(scores: np.ndarray, is_member: np.ndarray) -> float:
    differences = scores[is_member][:, None] - scores[~is_member][None]
    return float(np.mean((differences > 0) + 0.5 * (differences == 0)))


@pytest.mark.parametrize("num_classes", [2, 3])
def test_auc_is_the_chance_that_a_member_scores_higher(num_classes: int):
    rng = np.random.default_rng(0)
    labels = rng.integers(num_classes, size=300)
    logits = rng.normal(size=(300, num_classes)) + 1.5 * np.eye(num_classes)[labels]
    # Confident models put their scores close to 0 and 1: steps of the score itself would tie them.
    scores = np.exp(5 * logits) / np.exp(5 * logits).sum(axis=1, keepdims=True)
    names = np.array([f"class {i}".encode() for i in range(num_classes)], dtype=object)
    elements = [pair(f"class {i}", {"scores": s, "classes": names}) for i, s in zip(labels, scores, strict=True)]
    wanted = np.mean([exact_auc(scores[:, i], labels == i) for i in range(num_classes)])

    assert combine(auc.OneVersusRestAuc("m"), elements, parts=3) == pytest.approx(wanted, abs=2e-3)


def test_auc_counts_a_tie_as_half_and_is_undefined_for_one_label():
    ties = auc.Histogram({("a", 0, True): 2, ("a", 0, False): 3})
    assert auc.one_versus_rest_auc(ties) == 0.5
    assert math.isnan(auc.one_versus_rest_auc(auc.Histogram({("a", 0, True): 2})))
    assert math.isnan(auc.one_versus_rest_auc(auc.Histogram()))
    # Many at a time, among them one without members.
    keys = [*ties, ("a", 7, True), ("b", 1, False)]
    several = auc.mean_aucs(keys, np.array([[2, 3, 0, 1], [0, 3, 5, 0], [0, 3, 0, 1]]))
    assert several == pytest.approx([0.5, 1.0, math.nan], nan_ok=True)
    assert (
        auc.log_odds_step(math.nan)
        == auc.log_odds_step(0.0)
        < auc.log_odds_step(1e-6)
        < auc.log_odds_step(0.5)
        == 0
        < auc.log_odds_step(1.0)
    )


@pytest.mark.parametrize("parts", [1, 3])
def test_bits_are_those_of_all_samples_together(parts: int):
    # 3 bits a sample over 100 samples, 1 bit over 300: (300 + 300) / 400. The mean of the clips would be 2.
    clips = [(3.0, 100), (1.0, 300)]
    elements = [
        Element(None, {"log_prob": np.float32(-bits * samples * math.log(2)), "num_samples": np.int32(samples)})
        for bits, samples in clips
    ]
    metric = BitsPerUnit("m", output="log_prob", units="num_samples")
    assert combine(metric, elements, parts) == pytest.approx(1.5)
    assert math.isnan(combine(metric, [], parts))


def scored(text: str, probabilities: list[float]) -> Element:
    """What a language model says of a text whose units have these probabilities, the end among them."""
    outputs = {
        "log_prob": np.float32(sum(map(math.log, probabilities))),
        "num_units": np.int32(len(probabilities)),
        "num_characters": np.int32(len(text)),
        "num_bytes": np.int32(len(text.encode())),
    }
    return Element(None, outputs)


@pytest.mark.parametrize("parts", [1, 2])
def test_perplexity_and_bits_by_hand(parts: int):
    """1 + 2 + 3 and 4 + 2 bits for five units, three characters and four bytes."""
    texts = [scored("ab", [1 / 2, 1 / 4, 1 / 8]), scored("é", [1 / 16, 1 / 4])]

    def value(metric: type, units: str) -> float:
        return combine(metric("m", output="log_prob", units=units), texts, parts)

    assert value(Perplexity, "num_units") == pytest.approx(2 ** (12 / 5))
    assert value(CrossEntropy, "num_units") == pytest.approx(12 / 5 * math.log(2))
    assert value(BitsPerUnit, "num_characters") == pytest.approx(12 / 3)
    assert value(BitsPerUnit, "num_bytes") == pytest.approx(12 / 4)


def test_perplexity_of_nothing_and_of_the_impossible():
    metric = Perplexity("m", output="log_prob", units="num_units")
    assert math.isnan(combine(metric, [], 1))
    element = Element(None, {"log_prob": np.float32(-1e30), "num_units": np.int32(1)})
    assert combine(metric, [element], 1) == math.inf


@pytest.mark.parametrize("parts", [1, 3])
def test_a_ratio_is_that_of_the_sums_so_that_each_unit_counts_the_same(parts: int) -> None:
    outputs = [{"loss": np.float32(loss), "n": np.float32(n)} for loss, n in ((6.0, 2.0), (1.0, 8.0), (0.0, 0.0))]
    assert combine(Ratio("m", output="loss", units="n"), [pair("x", each) for each in outputs], parts) == 0.7
    assert math.isnan(combine(Ratio("m", output="loss", units="n"), [], 1))
