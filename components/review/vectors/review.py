"""From an exported model of word vectors to a map, neighbours, and how many analogies it knows."""

from collections.abc import Callable, Sequence
from pathlib import Path

import tensorflow as tf

from components.review.result import Medium, ReviewResult, Sample, Share
from components.review.settings import VectorReviewSettings
from components.review.vectors.asking import Asked, Vector
from components.review.vectors.maps import LEAST, draw_maps
from components.review.vectors.questions import Question, read_questions

# What was judged, as the page calls it.
ADD, MUL, COVERED = "3CosAdd", "3CosMul", "covered"
MAPS, NEIGHBORS = "maps", "neighbors"


def review(
    model: Path,
    examples: Path,
    settings: VectorReviewSettings,
    judge: Path | None,
    on_progress: Callable[[int, int], None],
) -> ReviewResult:
    """Has vectors drawn and analogies answered; arguments as of `components.review.catalogue.MakeReview`.

    Raises:
        EvaluationError: the questions cannot be read.
    """
    questions = list(read_questions(settings.analogies))
    # The training may hold all memory of the GPU.
    with tf.device("/CPU:0"):
        asked = Asked(model)
        vectors = asked.frequent(examples, settings.map_words)
        shares = answer(asked, questions)
        on_progress(1, 2)
        samples = [*_maps(vectors, settings.seed), *_neighbors(asked, vectors[: settings.shown_words], settings)]
        on_progress(2, 2)
    metrics = measured(shares, len(questions))
    return ReviewResult(
        review="vectors",
        model=asked.name,
        judge=None,
        metrics=metrics,
        shortfalls=shortfalls(metrics.get("analogy_accuracy"), settings.min_analogy_accuracy),
        notes=[] if len(vectors) >= LEAST else [f"no map: only {len(vectors)} known words in the held-out texts"],
        facts={"words": len(vectors), "questions": len(questions)},
        shares=shares,
        samples=samples,
    )


def answer(asked: Asked, questions: Sequence[Question]) -> dict[str, dict[str, Share]]:
    """By group, how many questions are covered (all four words known), and how many of those each method answers."""
    known = asked.known(sorted({word for question in questions for word in question[1:]}))
    covered = [question for question in questions if all(word in known for word in question[1:])]
    right = {
        name: [
            known[question.d] == answered
            for question, answered in zip(covered, asked.analogies([q[1:4] for q in covered], name == MUL), strict=True)
        ]
        for name in (ADD, MUL)
    }
    shares: dict[str, dict[str, Share]] = {}
    for group in dict.fromkeys(question.group for question in questions):
        of_group = [question.group == group for question in covered]
        shares[group] = {name: _share(found, of_group) for name, found in right.items()}
        total = sum(question.group == group for question in questions)
        shares[group][COVERED] = Share(right=sum(of_group), judged=total)
    return shares


def measured(shares: dict[str, dict[str, Share]], questions: int) -> dict[str, float]:
    """Over all groups: the share of covered questions that each method answers right, and the share that is covered."""
    names = {ADD: "analogy_accuracy", MUL: "analogy_accuracy_multiplicative", COVERED: "analogy_coverage"}
    totals = {
        metric: Share(
            right=sum(s[name].right for s in shares.values()), judged=sum(s[name].judged for s in shares.values())
        )
        for name, metric in names.items()
    }
    return {metric: total.share for metric, total in totals.items() if questions and total.share is not None}


def shortfalls(accuracy: float | None, least: float | None) -> list[str]:
    """The bound that the accuracy does not keep, as a sentence; empty when it passed."""
    if least is None or (accuracy is not None and accuracy >= least):
        return []
    found = "could not be measured" if accuracy is None else f"is {accuracy:.4g}"
    return [f"vectors: analogy_accuracy {found}; at least {least:.4g} was asked (vectors.min_analogy_accuracy)"]


def _share(right: Sequence[bool], of_group: Sequence[bool]) -> Share:
    found = [one for one, member in zip(right, of_group, strict=True) if member]
    return Share(right=sum(found), judged=len(found))


def _maps(vectors: list[Vector], seed: int) -> list[Sample]:
    maps = draw_maps(vectors, seed) if len(vectors) >= LEAST else {}
    return [_sample(f"{name}, {len(vectors)} frequent words", MAPS, {}, [picture]) for name, picture in maps.items()]


def _neighbors(asked: Asked, vectors: Sequence[Vector], settings: VectorReviewSettings) -> list[Sample]:
    words = [vector.word for vector in vectors]
    found = asked.neighbors(words, settings.neighbors)
    return [_sample(word, NEIGHBORS, dict(near), []) for word, near in zip(words, found, strict=True)]


def _sample(title: str, group: str, facts: dict[str, int | float], media: list[Medium]) -> Sample:
    return Sample(
        title=title,
        group=group,
        held_out=False,
        asked={},
        expected="",
        answer=None,
        certainty=None,
        facts=facts,
        media=media,
    )
