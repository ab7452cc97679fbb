"""Words per second, and how good the vectors are, beside gensim on the same texts with the same settings.

    sh benchmarks/words/setup.sh
    python -m benchmarks.words.training --texts TEXTS --questions questions-words.txt --output words.json

TEXTS has a text on each line. gensim gets our words, so that both have the same vocabulary, and two workers; ours
takes what threads TensorFlow takes. Words are those of the texts, left out ones included, times the epochs; seconds are
those of the training, for ours reading the transformed examples and building the model included. Seconds of the
processors, over all threads, compare also where other work takes turns with this.

`similarity` is Spearman's rank correlation with how alike people find two words, for files of `--pairs` with two words
and a number on each line, such as those in gensim's own tests:
`.venv-gensim/lib/python3*/site-packages/gensim/test/test_data/{wordsim353.tsv,simlex999.txt}`.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.words.judging import analogies, read_pairs, read_questions, similarity

ROOT = Path(__file__).parents[2]
GENSIM_PYTHON = ROOT / ".venv-gensim" / "bin" / "python"
MODEL = {"embedding_dim": 100, "window": 5, "negative_samples": 5, "noise_exponent": 0.75, "subsampling": 1e-3}
TRAINING = {
    "batch_size": 4,
    "optimizer": "lazy_adam",
    "learning_rate": 0.01,
    "schedule": "linear",
    "early_stopping_patience": 0,
}
MINIMUM_COUNT = 5


def prepare(texts: list[str], architecture: str, epochs: int, training: dict[str, Any]) -> tuple[Any, Any]:
    """Settings of a run, and the vocabularies of its texts."""
    import tensorflow as tf

    from models.run_settings import RunSettings
    from models.tokenizers.vocabularies import Vocabularies, counts_of, learn_vocabulary, split_units

    tokenizer = {"unit": "word", "minimum_count": MINIMUM_COUNT, "vocabulary_size": 200_000, "lowercase": True}
    settings = RunSettings.model_validate(
        {
            "name": "words",
            "task": "word_embedding",
            "tokenizer": tokenizer,
            "model": MODEL | {"architecture": architecture},
            "training": TRAINING | {"epochs": epochs} | training,
        }
    )
    counts: Counter[str] = Counter()
    for start in range(0, len(texts), 4096):
        units = split_units(tf.constant(texts[start : start + 4096]), settings.tokenizer)
        counts.update(unit.decode() for unit in units.flat_values.numpy())
    pieces = learn_vocabulary(dict(counts), settings.tokenizer)
    return settings, Vocabularies(settings.tokenizer, {"text": pieces}, {}, {"text": counts_of(pieces, counts)})


def write_transformed(texts: list[str], vocabularies: Any, file: Path) -> list[list[str]]:
    """What the Transform stage would write; returns the known words of each text."""
    import tensorflow as tf

    from models.words.vocabulary import Words

    words = Words.of(vocabularies, "text")
    cut: list[list[str]] = []
    with tf.io.TFRecordWriter(str(file), "GZIP") as writer:
        for start in range(0, len(texts), 4096):
            units = words.cut(tf.constant(texts[start : start + 4096]))
            ids = units.with_flat_values(words.ids(units.flat_values))
            for row in tf.ragged.boolean_mask(ids, ids > 0).to_list():
                example = tf.train.Example()
                example.features.feature["word_ids"].int64_list.value.extend(row)
                writer.write(example.SerializeToString())
                cut.append([words.names[number - 1] for number in row])
    return cut


def train_ours(settings: Any, vocabularies: Any, file: Path, held_out: Path) -> dict[str, Any]:
    """Trains, and gives seconds and vectors by word."""
    from models.training import train
    from models.words.vocabulary import Words

    started, processor = time.perf_counter(), time.process_time()
    model, state = train(settings, vocabularies, [str(file)], [str(held_out)], str(file.parent / "checkpoints"))
    spent = {"seconds": time.perf_counter() - started, "processor_seconds": time.process_time() - processor}
    vectors = np.asarray(model.get_layer("word_vectors").vectors.embeddings)[1:]
    names = Words.of(vocabularies, "text").names
    return spent | {"vectors": dict(zip(names, vectors, strict=True)), "loss": state.best_loss}


def train_gensim(architecture: str, epochs: int, workers: int, texts: Path) -> dict[str, Any]:
    """The same by gensim."""
    from models.words.files import read_vectors

    output = texts.with_suffix(".bin")
    job = MODEL | {"architecture": architecture, "minimum_count": MINIMUM_COUNT, "epochs": epochs, "workers": workers}
    job |= {"texts": str(texts), "vectors": str(output)}
    done = subprocess.run(
        [GENSIM_PYTHON, str(Path(__file__).with_name("gensim_training.py"))],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout) | {"vectors": dict(read_vectors(output))}


def train_both(
    texts: list[str], architecture: str, asked: argparse.Namespace
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Name of the trainer, words that it has read, and what it gives; ours first."""
    settings, vocabularies = prepare(texts, architecture, asked.epochs, asked.training)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cut = write_transformed(texts, vocabularies, folder / "train.gz")
        write_transformed(texts[:1000], vocabularies, folder / "eval.gz")
        (folder / "texts.txt").write_text("".join(" ".join(row) + "\n" for row in cut), encoding="utf-8")
        words = asked.epochs * sum(map(len, cut))
        yield "seqline", words, train_ours(settings, vocabularies, folder / "train.gz", folder / "eval.gz")
        trained = train_gensim(architecture, asked.epochs, asked.workers, folder / "texts.txt")
        yield f"gensim, {asked.workers} workers", words, trained


def main() -> None:
    """Compares both architectures on this machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, action="append", default=[])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--architecture", choices=["skip_gram", "cbow"], action="append")
    parser.add_argument("--training", type=json.loads, default={}, help="of ours, as JSON")
    asked = parser.parse_args()
    texts = [line for line in asked.texts.read_text(encoding="utf-8").splitlines() if line.strip()]
    questions, pairs = read_questions(asked.questions), {file.stem: read_pairs(file) for file in asked.pairs}
    results = []
    for architecture in asked.architecture or ["skip_gram", "cbow"]:
        for trainer, words, trained in train_both(texts, architecture, asked):
            figures = {"architecture": architecture, "trainer": trainer, "words": words}
            figures |= {name: trained[name] for name in ("seconds", "processor_seconds")}
            figures |= {f"words_per_{name[:-1]}": words / trained[name] for name in ("seconds", "processor_seconds")}
            figures |= analogies(trained["vectors"], questions)
            figures |= {name: similarity(trained["vectors"], rows) for name, rows in pairs.items()}
            results.append(figures)
            print(json.dumps(figures), flush=True)
    asked.output.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
