"""How the training went: curves by epoch and by step, speed, the epoch that was kept."""

import json
from collections.abc import Iterator
from typing import Any

from models.description import ModelDescription
from models.training_curves import FILE
from pipeline.report.form import Block, Curves, Line, Paragraph, Section, Table
from pipeline.report.source import Source
from pipeline.report.words import name_of, number

# Columns of an epoch that are no metric of Keras, with how they are drawn.
_STEPS = {
    "learning_rate": "Learning rate by step",
    "gradient_norm": "Gradient norm by step, before clipping",
    "clipped_share": "Share of clipped steps",
    "tokens_per_second": "Positions a second (tokens, frames, samples)",
}
_MEMORY = {"memory_megabytes": "of the process", "gpu_memory_megabytes": "of a GPU"}
_NO_METRICS = {"epoch", "step", "greatest_gradient_norm", "learning_rate", "seconds", *_STEPS, *_MEMORY}
_VALIDATION = "val_"


def section(source: Source) -> Section | None:
    """What `training.json` holds."""
    folder = source.folder("model_run")
    if folder is None or not (folder / FILE).exists():
        return None
    told = json.loads((folder / FILE).read_text(encoding="utf-8"))
    best = _kept_epoch(source)
    blocks: list[Block] = [*_in_words(source, told, best), *_by_epoch(told["epochs"], best), *_by_step(told["steps"])]
    if told["epochs"]:
        columns = list(dict.fromkeys(name for row in told["epochs"] for name in row))
        rows = [[row.get(name) for name in columns] for row in told["epochs"]]
        blocks.append(Table(title="Every epoch", columns=[name_of(one) for one in columns], rows=rows, folded=True))
    return Section(name="training", title="Training", blocks=blocks)


def is_metric(name: str) -> bool:
    """Whether a column of an epoch is a loss or a metric of Keras."""
    return name not in _NO_METRICS


def _kept_epoch(source: Source) -> float | None:
    model = source.folder("model")
    if model is None or not (model / "Format-Serving").exists():
        return None
    return ModelDescription.read(model / "Format-Serving").metrics.get("best_epoch")


def _in_words(source: Source, told: dict[str, Any], best: float | None) -> Iterator[Paragraph]:
    epochs = told["epochs"]
    if epochs:
        kept = f"; epoch {number(best)} was kept, the one with the least validation loss" if best else ""
        yield Paragraph(
            text=f"{len(epochs)} epochs, {epochs[-1]['step']} steps{kept}. {number(source.config.training.epochs)} "
            "epochs were allowed."
        )
    if epochs and "seconds" in epochs[-1]:
        seconds = sum(row.get("seconds", 0.0) for row in epochs)
        peaks = [f"{number(epochs[-1][key])} MB {whose}" for key, whose in _MEMORY.items() if key in epochs[-1]]
        yield Paragraph(
            text=f"{number(seconds)} s of training and validation, {number(seconds / len(epochs))} s an epoch; most "
            f"memory {', '.join(peaks)}."
        )
    for each in [*(one["what"] for one in told["divergences"]), *told.get("too_long", [])]:
        yield Paragraph(text=each, tone="warn")


def _by_epoch(epochs: list[dict[str, Any]], best: float | None) -> Iterator[Curves]:
    if not epochs:
        return
    names = [name for name in epochs[-1] if is_metric(name) and not name.startswith(_VALIDATION)]
    names += [
        bare
        for name in epochs[-1]
        if name.startswith(_VALIDATION) and (bare := name.removeprefix(_VALIDATION)) not in names
    ]
    for name in names:
        pairs = ((name, "training"), (f"{_VALIDATION}{name}", "validation"))
        lines = [
            Line(name=label, x=[row["epoch"] for row in epochs], y=[row.get(key) for row in epochs])
            for key, label in pairs
            if any(row.get(key) is not None for row in epochs)
        ]
        if lines:
            title = f"{name_of(name).capitalize()} by epoch"
            yield Curves(title=title, x_label="epoch", lines=lines, mark=best or None, mark_label="kept")


def _by_step(steps: dict[str, list[Any]]) -> Iterator[Curves]:
    for name, title in {"loss": "Training loss by step", **_STEPS}.items():
        values = steps.get(name, [])
        if len(values) > 1:
            yield Curves(title=title, x_label="step", lines=[Line(name=name_of(name), x=steps["step"], y=values)])
