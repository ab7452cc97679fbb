"""Tokens with tags through the whole line, from CoNLL columns to a pushed model."""

import json
import random

import pytest
from typer.testing import CliRunner

from pipeline.cli import app

CONFIG = """\
name: names
task: sequence_labeling
data: {{path: {folder}/names.conll, split: {{train: 3, eval: 1}}, max_bad_fraction: 0.05}}
tokenizer: {{lowercase: true}}
labeling: {{characters: none, shape_dim: 4}}
model: {{architecture: recurrent, embedding_dim: 8, hidden_dim: 16, num_layers: 1, dropout: 0}}
training: {{epochs: 6, batch_size: 16, learning_rate: 0.03, early_stopping_patience: 0}}
evaluation: {{thresholds: {{entity_f1: {{min: 0.8}}, entity_f1/name: {{min: 0.5}}}}}}
serving: {{rest: {{enabled: false}}}}
output_dir: {folder}/outputs
"""


def sentence(rng: random.Random) -> str:
    """Capitals make names; in IOB1, which is told by the file."""
    words = ["".join(rng.choices("abcdefgh", k=3)) for _ in range(rng.randint(1, 6))]
    tagged = [(word.capitalize(), "I-name") if rng.random() < 0.3 else (word, "O") for word in words]
    return "".join(f"{word} {tag}\n" for word, tag in tagged) + "\n"


@pytest.mark.e2e
def test_names_go_through_the_whole_line(tmp_path):
    rng = random.Random(1)
    text = "".join(sentence(rng) for _ in range(240))
    (tmp_path / "names.conll").write_text("-DOCSTART- -X-\n\n" + text + "no-tag\n\nLast I-name\nBob B-place\n")
    (tmp_path / "names.yaml").write_text(CONFIG.format(folder=tmp_path))

    def seqline(*arguments: str) -> str:
        done = CliRunner().invoke(app, [*arguments, "-c", str(tmp_path / "names.yaml")])
        assert done.exit_code == 0, done.output
        return done.stdout

    seqline("run")
    [run] = json.loads(seqline("runs", "--json"))
    assert run["blessed"] and run["servable"] and run["pushed_version"]
    assert {"entity_precision/name", "macro_entity_f1", "token_accuracy"} <= run["metrics"].keys()
    assert run["metrics"]["same_cut"] == 1
    [refused] = tmp_path.glob("outputs/artifacts/ExampleGen/examples/*/refused.jsonl")
    reasons = [json.loads(line)["reason"] for line in refused.read_text().splitlines()]
    assert [reason.partition(",")[0] for reason in sorted(reasons)] == [
        "1 columns",
        'tag "B-place" cannot follow "I-name" in scheme iob1 (data.tag_scheme)',
    ]
    [page] = tmp_path.glob("outputs/artifacts/Review/review/*/page.html")
    assert "tagged texts" in page.read_text()
