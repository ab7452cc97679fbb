"""What a demonstration asks about held-out examples, and what it says."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from pipeline.config import config
from pipeline.serve.demo_questions import answers_to, held_out_examples
from serving.wire.values import to_example
from tests.pipeline.serve.served import DATES, DIGITS, EARS, NAMES, served
from tests.serving import task_models


def asked(model: Path, text: str, folder: Path, *examples: dict[str, object]) -> list[str]:
    split = folder / "examples" / "Split-eval"
    split.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(split / "data.gz"), "GZIP") as writer:
        for example in examples:
            writer.write(to_example(example).SerializeToString())
    with served(model, text, folder) as arguments:
        settings = config.load(Path(arguments[1]), [arguments[3]])
        rows = held_out_examples(settings, str(folder / "examples"), 2)
        return answers_to(settings, rows, settings.serving.port)


def test_texts_are_asked_and_the_right_answer_is_told(tmp_path: Path) -> None:
    examples = [{"source": f"5. März {year}", "target": f"{year}-03-05"} for year in (2024, 2025, 2026)]
    assert asked(task_models.save_text_to_text(tmp_path / "saved"), DATES, tmp_path, *examples) == [
        "5. März 2024  ->  5. März 20240  (target in the data: 2024-03-05)",
        "5. März 2025  ->  5. März 20250  (target in the data: 2025-03-05)",
    ]


def test_recordings_are_named_by_their_length(tmp_path: Path) -> None:
    examples = [{"audio": np.full(4000, level, np.float32), "label": "loud", "speaker": ""} for level in (0.9, 0.1)]
    assert asked(task_models.save_audio_classifier(tmp_path / "saved"), EARS, tmp_path, *examples) == [
        "a recording of 0.50 s  ->  loud  (loud 0.750, quiet 0.250)  (label in the data: loud)",
        "a recording of 0.50 s  ->  quiet  (quiet 0.750, loud 0.250)  (label in the data: loud)",
    ]


def test_sound_is_asked_by_its_labels_with_a_seed_for_each(tmp_path: Path) -> None:
    examples = [{"audio": np.zeros(9, np.float32), "label": label, "speaker": ""} for label in ("seven", "eight")]
    lines = asked(task_models.save_audio_generator(tmp_path / "saved"), DIGITS, tmp_path, *examples)
    clips = tmp_path / "outputs" / "clips"
    assert lines == [
        f"--label seven  ->  Wrote {clips}/digits-1.wav: seven, 1.00 s at 8000 Hz",
        f"--label eight  ->  Wrote {clips}/digits-2.wav: eight, 1.00 s at 8000 Hz",
    ]
    assert (clips / "digits-1.wav").read_bytes() != (clips / "digits-2.wav").read_bytes()


def test_tokens_are_asked_as_a_text(tmp_path: Path) -> None:
    examples = [{"tokens": ["Ada", "sang"], "tags": ["B-name", "O"]}, {"tokens": ["no"], "tags": ["O"]}]
    assert asked(task_models.save_sequence_labeler(tmp_path / "saved"), NAMES, tmp_path, *examples) == [
        "Ada sang  ->  Ada    sang\nB-name O  (tags in the data: B-name O)",
        "no  ->  no\nO  (tags in the data: O)",
    ]
