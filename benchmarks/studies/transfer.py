"""What vectors learned from unlabelled text are worth to a classifier with few labels.

    python -m benchmarks.studies.transfer ../shared/data OUTPUT

divides the sentences of rt-polarity (Pang and Lee, 2005): every tenth is held out, 1,000 of the others have labels, and
all of the others, without labels, train word vectors together with captions and Shakespeare
(`configs/word_vectors.yaml`). `configs/sentiment_rt.yaml` then learns from the labelled ones, three seeds each: its
tokens begin at random, with the vectors as they are, or with the vectors learned further. Writes `transfer.json` and
prints a table.
"""

import json
import pathlib
import random
import statistics
import subprocess
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

ROOT = pathlib.Path(__file__).parents[2]
LABELS, SEEDS, WIDTH = ("neg", "pos"), (1, 2, 3), 100
OTHER_TEXTS = ("multi30k/train.en.gz", "tinyshakespeare/input.txt")


def main(
    data: Annotated[pathlib.Path, typer.Argument(help="Folder with rt_polarity, multi30k and tinyshakespeare.")],
    output: Annotated[pathlib.Path, typer.Argument(help="Folder for all that is made.")],
    labels: Annotated[int, typer.Option(help="Labelled sentences, over both labels.")] = 1000,
    epochs: Annotated[int, typer.Option(help="Of each classifier at most; it stops early.")] = 20,
    vector_epochs: Annotated[int, typer.Option(help="Of the vectors.")] = 10,
) -> None:
    """Trains the vectors once and each kind of classifier with each seed."""
    output.mkdir(parents=True, exist_ok=True)
    unlabelled = divide(data / "rt_polarity", output, labels)
    texts = [str(unlabelled), *(str((data / name).resolve()) for name in OTHER_TEXTS)]
    vectors = {"data.path": texts, "training.epochs": vector_epochs, "vectors.analogies": "", "output_dir": str(output)}
    run("word_vectors.yaml", vectors)
    source = str(output / "serving" / "word_vectors")
    kinds: dict[str, dict[str, Any]] = {
        "random": {},
        "vectors, frozen": {"model.embeddings": {"from": source, "trainable": False}},
        "vectors, fine-tuned": {"model.embeddings": {"from": source, "trainable": True}},
    }
    found = {kind: [accuracy(output, seed, epochs, settings) for seed in SEEDS] for kind, settings in kinds.items()}
    (output / "transfer.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    show(found)


def divide(folder: pathlib.Path, output: pathlib.Path, labels: int) -> pathlib.Path:
    """Writes the held-out sentences, those with labels for each seed, and, without labels, all that are not held out.

    Returns:
        the file of the last.
    """
    known: list[str] = []
    for label in LABELS:
        lines = (folder / f"rt-polarity.{label}").read_text(encoding="utf-8").splitlines()
        _write(output / f"eval.{label}", lines[::10])
        others = [line for number, line in enumerate(lines) if number % 10]
        known += others
        for seed in SEEDS:
            _write(output / f"train{seed}.{label}", random.Random(seed).sample(others, labels // len(LABELS)))
    return _write(output / "unlabelled.txt", known)


def _write(path: pathlib.Path, lines: list[str]) -> pathlib.Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path.resolve()


def accuracy(output: pathlib.Path, seed: int, epochs: int, settings: dict[str, Any]) -> float:
    """Accuracy of a classifier on the held-out sentences; the seed also says which sentences have labels."""
    here = str(output.resolve())
    data = {
        "train": f"{here}/train{seed}.*",
        "eval": f"{here}/eval.*",
        "format": "lines",
        "label_pattern": r"\.(?P<label>neg|pos)$",
    }
    training = {"training.epochs": epochs, "training.early_stopping_patience": 4, "training.batch_size": 32}
    names = {"name": f"seed{seed}", "seed": seed, "output_dir": str(output), "evaluation.thresholds": {}}
    return run("sentiment_rt.yaml", {"data": data, "model.embedding_dim": WIDTH, **training, **names, **settings})


def run(config: str, settings: dict[str, Any]) -> float:
    """Runs a ready configuration with other settings; returns the accuracy, 0 where the task has none."""
    command = [sys.executable, "-m", "pipeline"]
    arguments = ["-c", str(ROOT / "configs" / config)]
    for key, value in settings.items():
        arguments += ["--set", f"{key}={json.dumps(value, ensure_ascii=False)}"]
    subprocess.run([*command, "run", *arguments], check=True, cwd=ROOT)
    told = subprocess.run(
        [*command, "runs", "--json", *arguments], check=True, cwd=ROOT, capture_output=True, text=True
    )
    return json.loads(told.stdout)[0]["metrics"].get("accuracy", 0.0)


def show(found: dict[str, list[float]]) -> None:
    """Prints a row for each kind."""
    table = Table("tokens begin", *(f"seed {seed}" for seed in SEEDS), "mean")
    for kind, values in found.items():
        table.add_row(kind, *(f"{value:.4f}" for value in values), f"{statistics.mean(values):.4f}")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
