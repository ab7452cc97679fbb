"""A new architecture and a new task cost their own files and a line each in the registry: the whole line takes them."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.metrics import accuracy_score

from models import registry
from models.training import train
from pipeline.report.catalogue import SECTIONS
from tests.models.conftest import learn, run_settings, write_transformed
from tests.pipeline.report.pages import looks_well
from tests.toys import tables

ROOT = Path(__file__).parents[2]

TOY = """\
name: toy
task: reversal_check
data: {{path: {data}, split: {{train: 4, eval: 1}}}}
tokenizer: {{unit: character, shared: true}}
model: {{architecture: mean, embedding_dim: 8}}
training: {{epochs: 1, batch_size: 16}}
serving: {{rest: {{enabled: false}}}}
"""


def pairs(count: int, seed: int) -> list[dict[str, str]]:
    """Two letters, and the same two the other way round, or as they are."""
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        text = "".join(rng.sample("abcdef", 2))
        other, label = (text[::-1], "yes") if number % 2 else (text, "no")
        rows.append({"text": text, "other": other, "label": label})
    return rows


def containing(count: int, seed: int) -> list[dict[str, str]]:
    rng = random.Random(seed)
    texts = ["".join(rng.choices("abcd", k=4)) + rng.choice("ax") for _ in range(count)]
    return [{"text": text, "label": "yes" if "x" in text else "no"} for text in texts]


def best_accuracy(task: str, model: dict, rows, tmp_path: Path) -> float:
    training = {"epochs": 60, "learning_rate": 0.02, "batch_size": 32, "early_stopping_patience": 0}
    # The toys came too late for the union of all settings of models, which is made when it is imported.
    settings = run_settings(task, {"architecture": "recurrent"}, training=training)
    settings = settings.model_copy(
        update={
            "model": registry.ARCHITECTURES[model["architecture"]].settings.model_validate(model),
            "tokenizer": settings.tokenizer.model_copy(update={"shared": True}),
        }
    )
    vocabularies = learn(rows, settings)
    file = write_transformed(rows, settings, vocabularies, tmp_path / "rows")
    _, state = train(settings, vocabularies, [file], [file], str(tmp_path / "checkpoints"))
    return state.best_metrics["val_accuracy"]


@pytest.fixture
def _toys(monkeypatch):
    monkeypatch.setitem(registry.ARCHITECTURES, "mean", tables.MEAN)
    monkeypatch.setitem(registry.TASKS, "reversal_check", tables.REVERSAL_CHECK)


def test_the_toy_architecture_learns_an_old_task(_toys, tmp_path):
    model = {"architecture": "mean", "embedding_dim": 8, "dropout": 0}
    assert best_accuracy("text_classification", model, containing(128, 1), tmp_path) == 1


def test_an_old_architecture_learns_the_toy_task(_toys, tmp_path):
    model = {"architecture": "recurrent", "embedding_dim": 8, "hidden_dim": 16, "num_layers": 1, "dropout": 0}
    assert best_accuracy("reversal_check", model, pairs(128, 1), tmp_path) > 0.9


@pytest.mark.e2e
def test_both_toys_go_through_the_whole_line(tmp_path, browser):
    rows = pairs(200, 3)
    # A number makes each text another one, so that the split by hash has some of all.
    lines = [f"{row['text']}{number}\t{number}{row['other']}\t{row['label']}" for number, row in enumerate(rows)]
    (tmp_path / "rows.tsv").write_text("\n".join(["text\tother\tlabel", *lines]) + "\n")
    (tmp_path / "toy.yaml").write_text(TOY.format(data=tmp_path / "rows.tsv") + f"output_dir: {tmp_path}/outputs\n")

    def seqline(*arguments: str) -> str:
        command = [sys.executable, "-m", "tests.toys", *arguments, "-c", str(tmp_path / "toy.yaml")]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    seqline("run")
    [run] = json.loads(seqline("runs", "--json"))
    assert run["blessed"] and run["servable"] and run["pushed_version"]
    assert {"accuracy", "f1/yes", "f1/no"} <= run["metrics"].keys()
    [page] = tmp_path.glob("outputs/reports/*/report.html")
    report = json.loads((page.parent / "report.json").read_text())
    assert [section["name"] for section in report["sections"]] == list(SECTIONS)
    right, answers = ([example[key] for example in report["examples"]] for key in ("right", "answer"))
    assert accuracy_score(right, answers) == pytest.approx(run["metrics"]["accuracy"])
    looks_well(browser, page)
    # What has not changed comes from the cache, of toys too.
    assert set(seqline("plan").split()[1::2]) == {"cached"}
