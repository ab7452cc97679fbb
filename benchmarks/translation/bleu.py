"""BLEU of a pushed translation model as papers tell it, beside that of our reports.

    python -m benchmarks.translation.bleu --model outputs/serving/NAME --source test.en.gz --target test.de.gz

Papers on Multi30k mostly count lowercased words, cut by Moses; our evaluation counts sacreBLEU's 13a
with case. All are of the same answers of the signature `serving_default`.
"""

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from sacrebleu.metrics import BLEU, CHRF

from benchmarks.serving.servers import newest_version


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, packed or not."""
    open_file = gzip.open if path.suffix == ".gz" else open
    with open_file(path, "rt", encoding="utf-8") as stream:
        return [line.rstrip("\n") for line in stream]


def translate(model: Path, sources: Sequence[str], rows: int) -> Iterator[str]:
    """Answers of the newest version, in batches of `rows`."""
    import tensorflow as tf
    import tensorflow_text  # noqa: F401  its operations

    signature = tf.saved_model.load(str(newest_version(model))).signatures["serving_default"]
    for start in track(range(0, len(sources), rows), "translating"):
        answers = signature(source=tf.constant(sources[start : start + rows]))["target"]
        yield from (answer.decode() for answer in answers.numpy())


def scores(answers: Sequence[str], targets: Sequence[str]) -> dict[str, str]:
    """What each way of counting says, by its name; with sacreBLEU's signature."""
    found = {}
    metrics = {
        "BLEU, 13a, cased": BLEU(),
        "BLEU, 13a, lowercased": BLEU(lowercase=True),
        "BLEU, international tokens, lowercased": BLEU(lowercase=True, tokenize="intl"),
        "chrF": CHRF(),
    }
    for name, metric in metrics.items():
        score = metric.corpus_score(list(answers), [list(targets)]).score
        found[name] = f"{score:.2f}  {metric.get_signature()}"
    return found


def main(
    model: Annotated[Path, typer.Option(help="Pushed model: a folder with one folder per version.")],
    source: Annotated[Path, typer.Option(help="Texts to translate, one per line.")],
    target: Annotated[Path, typer.Option(help="Their translations, line by line.")],
    rows: Annotated[int, typer.Option(min=1, help="Texts that are translated together.")] = 64,
) -> None:
    """Translates a test set and scores it."""
    answers = list(translate(model, read_lines(source), rows))
    for name, score in scores(answers, read_lines(target)).items():
        print(f"{name:40} {score}")


if __name__ == "__main__":
    typer.run(main)
