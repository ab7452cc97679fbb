"""Trains on a split that is larger than the memory allowed, and says how much the training took.

python -m benchmarks.training.memory [--examples N] [--length T] [--limit MEGABYTES]

The limit is one of the kernel, on all memory of the process that is not a file's (RLIMIT_DATA); what exceeds it fails.
"""

import argparse
import gzip
import resource
import tempfile
import time
from pathlib import Path

import numpy as np


def write_split(file: Path, count: int, length: int) -> None:
    """Transformed examples of one length, TFRecord, gzip; a thousand different ones, again and again."""
    import tensorflow as tf

    rng = np.random.default_rng(1)
    plain = file.with_suffix(".plain")
    with tf.io.TFRecordWriter(str(plain)) as writer:
        for _ in range(min(count, 1000)):
            example = tf.train.Example()
            example.features.feature["token_ids"].int64_list.value.extend(rng.integers(4, 100, length))
            example.features.feature["label_id"].int64_list.value.append(int(rng.integers(2)))
            writer.write(example.SerializeToString())
    thousand = gzip.compress(plain.read_bytes(), 1)
    # Parts of a gzip file may simply follow one another.
    with file.open("wb") as stream:
        for _ in range(max(1, count // 1000)):
            stream.write(thousand)


def main() -> None:
    """Writes the split, limits the process, trains one epoch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=1_000_000)
    parser.add_argument("--length", type=int, default=1000)
    parser.add_argument("--limit", type=int, default=2500, help="megabytes; the stacks of threads count")
    asked = parser.parse_args()

    from models.run_settings import RunSettings
    from models.tokenizers.settings import TokenizerSettings
    from models.tokenizers.special import SPECIAL_TOKENS
    from models.tokenizers.vocabularies import Vocabularies
    from models.training import train

    model = {"architecture": "gated_conv", "embedding_dim": 2, "hidden_dim": 2, "num_layers": 1, "kernel_size": 1}
    training = {"epochs": 1, "batch_size": 256, "shuffle_megabytes": 64, "checkpoint_steps": 10_000}
    settings = RunSettings.model_validate(
        {"name": "memory", "task": "text_classification", "model": model, "training": training}
    )
    pieces = [*SPECIAL_TOKENS, *(f"piece{index}" for index in range(96))]
    vocabularies = Vocabularies(TokenizerSettings(unit="word"), {"text": pieces}, {"label": ["no", "yes"]})
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("train.gz", "eval.gz")]
        for file, count in zip(files, (asked.examples, 1000), strict=True):
            write_split(file, count, asked.length)
        limit = asked.limit * 2**20
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        started = time.perf_counter()
        train(settings, vocabularies, [str(files[0])], [str(files[1])], f"{folder}/checkpoints")
        seconds = time.perf_counter() - started
    split = asked.examples * asked.length * 4 / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(
        f"split {split:,.0f} MB of token ids; limit {asked.limit:,} MB; peak {peak:,.0f} MB; {seconds:.0f} s an epoch"
    )


if __name__ == "__main__":
    main()
