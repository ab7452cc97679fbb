"""The ready configurations on the real data they were made for, with models shrunk to a minute each.

The figures of the full runs stand in docs/results.md.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("SEQLINE_DATA") or ROOT.parent / "shared" / "data").resolve()

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.e2e,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data in {DATA}; SEQLINE_DATA names its folder"),
]

SMALL = ("training.epochs=1", "model.hidden_dim=32", "evaluation.thresholds={}")
SMALL_TEXT = (*SMALL, "model.embedding_dim=32", "model.dropout=0.0")
SMALL_WAVENET = (
    *SMALL,
    "model.hidden_dim=8",
    "model.skip_dim=16",
    "model.dilation_depth=6",
    "model.num_stacks=1",
    "training.batch_size=16",
    "training.learning_rate=0.01",
)


def metrics_of_a_run(config: str, output_dir: Path, *overrides: str) -> dict[str, float]:
    """Runs a configuration with overrides; returns the metrics that `seqline runs` tells of it."""
    environment = os.environ | {"SEQLINE_DATA": str(DATA)}
    settings = ["-c", str(ROOT / "configs" / config)]
    for override in (*overrides, f"output_dir={output_dir}"):
        settings += ["--set", override]

    def seqline(*arguments: str) -> str:
        command = [sys.executable, "-m", "pipeline", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    seqline("run", *settings)
    [run] = json.loads(seqline("runs", "--json", *settings))
    assert run["blessed"] and run["pushed_version"]
    return run["metrics"]


def test_english_reviews(tmp_path):
    # Guessing gives 0.5; the shrunk model need only be clearly better.
    metrics = metrics_of_a_run("sentiment_rt.yaml", tmp_path, *SMALL_TEXT, "training.learning_rate=0.003")
    assert metrics["accuracy"] > 0.65


def test_korean_reviews(tmp_path):
    overrides = ("tokenizer.unit=character", "tokenizer.vocabulary_size=2000")
    metrics = metrics_of_a_run("sentiment_nsmc.yaml", tmp_path, *SMALL_TEXT, *overrides)
    assert metrics["accuracy"] > 0.7


def test_english_to_german(tmp_path):
    """Every real sentence comes through. A model of this size learns nothing in one epoch that BLEU would see: how well
    the full one translates stands in docs/results.md, and tests/models shows that the architecture learns."""
    overrides = ("tokenizer.unit=word", "tokenizer.vocabulary_size=2000", "training.batch_size=256")
    metrics = metrics_of_a_run("translation_seq2seq.yaml", tmp_path, *SMALL_TEXT, *overrides)
    assert metrics["example_count"] == 1000
    assert metrics.keys() >= {"bleu", "chrf", "exact_match"}


def test_spoken_digits_are_recognized_and_generated(tmp_path):
    """How well the full models do it stands in docs/results.md; here every real recording comes through, the judge is
    right about most of them, and the speaker speaks to it."""
    metrics = metrics_of_a_run("digits_recognizer.yaml", tmp_path / "judge", *SMALL, "training.epochs=2")
    assert metrics["example_count"] == 300
    assert metrics["accuracy"] > 0.5, "guessing gives 0.1"
    judge = tmp_path / "judge/serving/digits_recognizer"
    clips = (f"clips.recognizer={judge}", "clips.per_label=1", "clips.min_recognized=0")
    metrics = metrics_of_a_run("digits_wavenet.yaml", tmp_path / "speaker", *SMALL_WAVENET, *clips)
    assert metrics["bits_per_sample"] < 7, "8 bits would be a guess"
    assert metrics["recognized_real"] > 0.5
    [page] = tmp_path.glob("speaker/artifacts/Review/review/*/page.html")
    assert page.read_text().count("<audio") == 20, "one clip and one recording of each digit"
