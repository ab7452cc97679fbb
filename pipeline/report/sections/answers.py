"""A closer look by the kind of answer: classes with scores, scored texts, and the samples of the review."""

from collections import Counter
from collections.abc import Callable, Iterator

import markupsafe
import numpy as np

from components.review.component import PAGE
from pipeline.report.evaluated import Evaluated, answer_of
from pipeline.report.form import Block, Curves, Line, Matrix, Page, Paragraph, Section, Table
from pipeline.report.source import Source
from pipeline.report.words import name_of

_CLASSES, _BINS, _MOST_CLASSES_DRAWN, _MOST_CLASSES_TOLD, _POINTS = 30, 10, 6, 300, 100
# A page that is larger is better opened by itself.
_MOST_PAGE = 2_500_000


def section(source: Source) -> Section | None:
    """What the outputs of the model, by their names, and its review allow to say."""
    blocks: list[Block] = []
    if evaluated := source.evaluated:
        given = set(evaluated.predictions[0].outputs)
        blocks += [block for needed, make in _BY_OUTPUTS if needed <= given for block in make(evaluated)]
    blocks += _per_class(source)
    blocks += _reviewed(source)
    return Section(name="answers", title="Answers", blocks=blocks) if blocks else None


def _confusion(evaluated: Evaluated) -> Iterator[Block]:
    key = evaluated.judging.prediction_key
    pairs = Counter((" ".join(one.right), answer_of(one.outputs, key)) for one in evaluated.predictions)
    sizes = Counter(name for pair in pairs for name in set(pair) for _ in range(pairs[pair]))
    names = sorted(name for name, _ in sizes.most_common(_CLASSES))
    note = f"Of the {_CLASSES} commonest of {len(sizes)} classes. " if len(sizes) > _CLASSES else ""
    yield Matrix(
        title="Confusion matrix: which class was taken for which",
        rows=names,
        columns=names,
        counts=[[pairs[right, answer] for answer in names] for right in names],
        note=f"{note}Rows are the right classes, columns the answers; what is right stands on the diagonal.",
    )
    wrong = sorted(((count, pair) for pair, count in pairs.items() if pair[0] != pair[1]), reverse=True)[:10]
    if wrong:
        yield Table(
            title="What is mistaken most often",
            columns=["right", "answered", "examples"],
            rows=[[right, answer, count] for count, (right, answer) in wrong],
        )


def _calibration(evaluated: Evaluated) -> Iterator[Block]:
    """Guo et al., 2017, equation 3: ten bins of equal width."""
    key = evaluated.judging.prediction_key
    sure = np.array([max(one.outputs["scores"]) for one in evaluated.predictions])
    right = np.array([answer_of(one.outputs, key) == " ".join(one.right) for one in evaluated.predictions])
    places = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    filled = [place for place in range(_BINS) if np.any(places == place)]
    sizes = [int(np.sum(places == place)) for place in filled]
    mean_sure = [float(sure[places == place].mean()) for place in filled]
    share = [float(right[places == place].mean()) for place in filled]
    gaps = [abs(one - other) * size for one, other, size in zip(mean_sure, share, sizes, strict=True)]
    error = sum(gaps) / len(right)
    leaning = "too sure of itself" if sure.mean() > right.mean() else "more often right than it believes"
    yield Paragraph(
        text=f"Expected calibration error {error:.3f}: on average the model is {sure.mean():.1%} sure and "
        f"{right.mean():.1%} right, {leaning}."
    )
    yield Curves(
        title="Calibration: share that is right, by how sure the model is",
        x_label="score of the answer",
        lines=[Line(name="model", x=mean_sure, y=share), Line(name="ideal", x=[0.0, 1.0], y=[0.0, 1.0])],
    )
    yield Table(
        title="Calibration",
        columns=["score from", "score to", "examples", "mean score", "share right"],
        rows=[
            [place / _BINS, (place + 1) / _BINS, size, one, other]
            for place, size, one, other in zip(filled, sizes, mean_sure, share, strict=True)
        ],
        folded=True,
    )


def _precision_recall(evaluated: Evaluated) -> Iterator[Block]:
    classes = evaluated.predictions[0].outputs["classes"]
    scores = np.array([one.outputs["scores"] for one in evaluated.predictions])
    right = np.array([" ".join(one.right) for one in evaluated.predictions])
    drawn = sorted(range(len(classes)), key=lambda place: -np.sum(right == classes[place]))[:_MOST_CLASSES_DRAWN]
    lines = [line for place in drawn if (line := _curve(classes[place], scores[:, place], right == classes[place]))]
    if lines:
        more = f", {_MOST_CLASSES_DRAWN} commonest classes" if len(classes) > _MOST_CLASSES_DRAWN else ""
        yield Curves(title=f"Precision by recall, each class against the others{more}", x_label="recall", lines=lines)


def _curve(name: str, scores: np.ndarray, member: np.ndarray) -> Line | None:
    """Precision and recall at each score, float (N,), of the members, bool (N,); ties stand together."""
    if not member.any():
        return None
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(member[order])
    last = np.append(np.nonzero(np.diff(ranked))[0], len(ranked) - 1)
    recall, precision = hits[last] / member.sum(), hits[last] / (last + 1)
    kept = np.unique(np.linspace(0, len(last) - 1, _POINTS).astype(int))
    return Line(name=name or "(empty)", x=recall[kept].tolist(), y=precision[kept].tolist())


def _by_score(evaluated: Evaluated) -> Iterator[Block]:
    """Whether the model's own score tells good answers from bad ones."""
    scores = np.array([float(np.ravel(one.outputs["score"])[0]) for one in evaluated.predictions])
    values = evaluated.sign * np.array(evaluated.ranks)
    scores, values = scores[np.isfinite(values)], values[np.isfinite(values)]
    if len(scores) < _BINS:
        return
    parts = np.array_split(np.argsort(scores, kind="stable"), _BINS)
    yield Curves(
        title=f"{name_of(evaluated.ranking_metric)} of single examples by the model's own score (tenths)",
        x_label="mean score",
        lines=[
            Line(
                name=name_of(evaluated.ranking_metric),
                x=[float(scores[part].mean()) for part in parts],
                y=[float(values[part].mean()) for part in parts],
            )
        ],
    )


# Names of outputs, as the model contract has them, to what they allow to say.
_BY_OUTPUTS: tuple[tuple[set[str], Callable[[Evaluated], Iterator[Block]]], ...] = (
    ({"classes", "scores"}, _confusion),
    ({"classes", "scores"}, _calibration),
    ({"classes", "scores"}, _precision_recall),
    ({"score"}, _by_score),
)


def _per_class(source: Source) -> Iterator[Block]:
    kinds = source.task.judging.per_class
    named = [name.partition("/") for name in source.run.metrics if "/" in name]
    kinds = tuple(dict.fromkeys(kind for kind, _, _ in named)) if kinds else ()
    labels = list(dict.fromkeys(label for _, _, label in named))
    if not kinds or not labels:
        return
    rows = [[label, *(source.run.metrics.get(f"{kind}/{label}") for kind in kinds)] for label in labels]
    rows.sort(key=lambda row: (row[-1] is not None, row[-1]))
    many = f" ({_MOST_CLASSES_TOLD} of {len(rows)})" if len(rows) > _MOST_CLASSES_TOLD else ""
    yield Table(
        title=f"By class, the worst first{many}",
        columns=["class", *map(name_of, kinds)],
        rows=rows[:_MOST_CLASSES_TOLD],
    )


def _reviewed(source: Source) -> Iterator[Block]:
    folder = source.folder("review")
    if folder is None or not (folder / PAGE).exists():
        return
    html = (folder / PAGE).read_text(encoding="utf-8")
    if len(markupsafe.escape(html).encode()) > _MOST_PAGE:
        yield Paragraph(text=f"The samples of the review are a page of their own: {folder / PAGE}")
        return
    yield Page(title="Samples of what the model makes", html=html)
