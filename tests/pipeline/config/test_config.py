import re
import time
from pathlib import Path

import pytest

from models.registry import ARCHITECTURES, TASKS
from pipeline.config import config
from pipeline.errors import ConfigError
from tests.pipeline.config.conftest import DATES, refusal


def test_a_small_file_is_filled_with_defaults(file: Path) -> None:
    loaded = config.load(file)
    assert (loaded.name, loaded.task, loaded.output_dir) == ("dates", "text_to_text", "outputs")
    assert loaded.model.architecture == "seq2seq"
    assert loaded.run_settings().model == loaded.model


def test_overrides_are_yaml_and_the_last_one_wins(file: Path) -> None:
    loaded = config.load(
        file, ["training.epochs=3", "training.epochs=4", "evaluation.thresholds={bleu: {min: 20}}", "output_dir="][:3]
    )
    assert loaded.training.epochs == 4
    assert loaded.evaluation.thresholds["bleu"].min == 20


def test_an_override_does_not_change_the_file(file: Path) -> None:
    config.load(file, ["seed=5"])
    assert file.read_text(encoding="utf-8") == DATES


def test_the_fingerprint_follows_the_values_not_the_wording(file: Path) -> None:
    same = config.load(file, ["seed=1"])
    assert config.load(file).fingerprint() == same.fingerprint()
    assert config.load(file, ["seed=2"]).fingerprint() != same.fingerprint()


def test_a_loaded_configuration_cannot_change(file: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        config.load(file).seed = 3


def test_unknown_key_suggests_the_nearest_one(file: Path) -> None:
    assert refusal(file, DATES + "  num_layer: 2\n") == (
        "FILE line 7: Unknown key model.num_layer; did you mean model.num_layers? Valid keys: "
        "architecture, embedding_dim, embeddings, pooling, hidden_dim, tie_embeddings, share_embeddings, "
        "dropout, token_dropout, "
        "noise_snr_db, cell, num_layers, connections, variational_dropout, recurrent_dropout, layer_normalization, "
        "attention, input_feeding"
    )


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("trainin: {}\n", "FILE line 7: Unknown key trainin; did you mean training? Valid keys: name, task, "),
        ("zzz: 1\n", "FILE line 7: Unknown key zzz. Valid keys: name, task, "),
        (
            "evaluation: {thresholds: {bleu: {mn: 1}}}\n",
            "FILE line 7: Unknown key evaluation.thresholds.bleu.mn; did you mean evaluation.thresholds.bleu.min? "
            "Valid keys: min, max",
        ),
        ("training: {batch_size: many}\n", 'FILE line 7: training.batch_size must be a whole number. Received: "many"'),
        ("training: {batch_size: 0}\n", "training.batch_size must be greater than or equal to 1. Received: 0"),
        ("training: {batch_size: 1.5}\n", "training.batch_size must be a whole number. Received: 1.5"),
        ("tokenizer: {lowercase: maybe}\n", 'tokenizer.lowercase must be true or false. Received: "maybe"'),
        ("training: 3\n", "training must be a section with keys of its own. Received: 3"),
        ("tokenizer: {unit: charcter}\n", 'Received: "charcter"; did you mean character?'),
        ("seed: 2024-03-05\n", "FILE line 7: seed must be a whole number. Received: 2024-03-05"),
        (
            "output_dir: 12\n",
            "output_dir must be text (in quotes where it looks like a number or a date). Received: 12",
        ),
    ],
)
def test_a_wrong_key_or_value_is_named_with_rule_and_place(file: Path, added: str, message: str) -> None:
    assert message in refusal(file, DATES + added)


def test_all_problems_are_told_at_once(file: Path) -> None:
    lines = refusal(file, DATES + "  dropout: 1.5\nseed: -1\nservin: {}\n").splitlines()
    assert len(lines) == 3
    assert "FILE line 7: model.dropout must be less than 1. Received: 1.5" in lines
    assert "FILE line 8: seed must be greater than or equal to 0. Received: -1" in lines


MISTAKES = """\
evaluation: {split: dev, thresholds: {blue: {min: 1}}, max_regression: {chrff: 1}}
name: Dates
task: text_to_text
audio: {sample_rate: 8000}
data:
  source: sample:dates
training: {weight_decay: 0.1, epochs: 0}
decoding: {coverage_penalty: 0.2}
tokenizer: {unit: byte, vocabulary_size: 300}
model: {architecture: seq2seq, attention: none}
"""


def test_a_wrong_field_hides_no_rule_between_the_sections_that_are_valid(file: Path) -> None:
    lines = refusal(file, MISTAKES, ("seed=-1",)).splitlines()
    assert [line.partition(". Received")[0] for line in lines] == [
        "FILE line 1: evaluation.split must be one of train, eval",
        'FILE line 1: Unknown metric "evaluation.thresholds.blue" for task text_to_text; did you mean bleu? '
        "Valid metrics: example_count, bleu, chrf, exact_match.",
        'FILE line 1: Unknown metric "evaluation.max_regression.chrff" for task text_to_text; did you mean chrf? '
        "Valid metrics: example_count, bleu, chrf, exact_match.",
        "FILE line 2: name must consist of small letters, digits, _ and -, such as film_reviews",
        "FILE line 4: audio is for the tasks audio_generation, audio_classification only; remove the section",
        # weight_decay is not judged: with epochs 0 there is no valid section `training`.
        "FILE line 7: training.epochs must be greater than or equal to 1",
        "FILE line 8: decoding.coverage_penalty needs a model with attention: seq2seq with another model.attention "
        "than none, gnmt or transformer; remove it",
        "FILE line 9: tokenizer.vocabulary_size goes with tokenizer.unit word or wordpiece or sentencepiece or "
        "character only; remove it",
        "--set seed=-1: seed must be greater than or equal to 0",
    ]


def test_rules_without_a_task_or_a_model_are_not_asked_but_the_others_are(file: Path) -> None:
    text = DATES.replace("text_to_text", "text_to_txt").replace("seq2seq", "sequence")
    *most, last = (repr(task) for task in TASKS)
    tasks = f"{', '.join(most)} or {last}"
    assert refusal(file, text + "evaluation: {split: dev}\nclips: {per_label: 1}\n").splitlines() == [
        f'FILE line 2: task must be {tasks}. Received: "text_to_txt"; did you mean text_to_text?',
        f"FILE line 6: model.architecture must be one of {', '.join(ARCHITECTURES)}. Received: sequence",
        "FILE line 7: evaluation.split must be one of train, eval. Received: dev",
    ]


def test_mistakes_are_told_in_the_order_of_the_file_and_then_of_the_overrides(file: Path) -> None:
    text = "zzz: 1\nseed: -1\n" + DATES.replace("dates\n", "Dates\n", 1)
    lines = refusal(file, text, ("data.sample_size=1", "seed=-2")).splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "FILE line 1",
        "FILE line 3",
        "--set data.sample_size=1",
        "--set seed=-2",
    ]


def test_an_architecture_that_does_not_exist(file: Path) -> None:
    assert refusal(file, overrides=("model.architecture=recurent",)) == (
        f"--set model.architecture=recurent: model.architecture must be one of {', '.join(ARCHITECTURES)}. "
        "Received: recurent; did you mean recurrent?"
    )


def test_missing_keys_are_named(file: Path) -> None:
    assert refusal(file, "name: dates\ntask: text_to_text\nmodel: {}\n") == (
        "data is missing; it has no default\nFILE line 3: model.architecture is missing; it has no default"
    )


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ("model.architecture=gated_conv",),
            "model.architecture must be one that solves the task text_to_text: recurrent, seq2seq, gnmt, transformer. "
            "Received: gated_conv",
        ),
        (
            ("task=text_classification", "model.architecture=recurrent", "decoding.beam_width=4"),
            "decoding is for the tasks text_to_text, language_modeling only; remove the section. "
            "Received: task text_classification",
        ),
        (("evaluation.split=test",), "evaluation.split must be one of train, eval. Received: test"),
        (
            ("evaluation.thresholds={exact_mach: {min: 1}}",),
            'Unknown metric "evaluation.thresholds.exact_mach" for task text_to_text; did you mean exact_match?',
        ),
        (("model.hidden_dim=33",), "hidden_dim must be even"),
        (("data.train=x.tsv",), "data.train"),
    ],
)
def test_rules_that_concern_several_keys(file: Path, overrides: tuple[str, ...], message: str) -> None:
    assert message in refusal(file, overrides=overrides)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [dates\ntask: x\n", "FILE line 2: not valid YAML: "),
        ("name: a\nname: b\n", "FILE line 2: name stands twice, first on line 1; keep one"),
        (DATES + "  dropout: 0\n  dropout: 1\n", "FILE line 8: model.dropout stands twice, first on line 7; keep one"),
        ("", "FILE: must be a mapping of sections such as `model:`. Received: an empty file"),
        ("- a\n", "FILE: must be a mapping of sections such as `model:`. Received: list"),
        ("a: !!python/object:os.system {}\n", "FILE line 1: not valid YAML: "),
    ],
)
def test_a_file_that_is_no_configuration(file: Path, text: str, message: str) -> None:
    assert refusal(file, text).startswith(message)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert "there is no such file; name the configuration with -c FILE" in refusal(tmp_path / "no.yaml")
    assert "this is a folder" in refusal(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("name: Grün".encode("latin-1"))
    assert "not UTF-8 (byte 8)" in refusal(tmp_path / "latin.yaml")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed", "--set seed: must read section.key=value"),
        (".seed=1", "--set .seed=1: must read section.key=value"),
        ("seed=[1", "--set seed=[1: the value is not valid YAML"),
        ("name.x=1", "--set name.x: name is not a section but a value"),
    ],
)
def test_an_override_that_cannot_be_read(file: Path, override: str, message: str) -> None:
    assert refusal(file, overrides=(override,)).startswith(message)


def test_an_unknown_section_of_an_override_names_the_override(file: Path) -> None:
    with pytest.raises(ConfigError, match="^--set trainig.epochs=3: Unknown key trainig; did you mean training"):
        config.load(file, ["trainig.epochs=3"])


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("training: &t\n  epochs: 3\n  self: *t\n", "FILE line 7: the alias below training.self stands for the very"),
        ("x: &x [*x]\n", "the alias below x.0 stands for"),
        (
            "1: x\n",
            'FILE line 7: the key 1 is a whole number to YAML, and keys are text. If it is meant, quote it: "1"',
        ),
        ("data2: {yes: x}\n", 'the key data2.yes is true or false to YAML, and keys are text.*quote it: "yes"'),
        ("? [a, b]\n: x\n", "FILE line 7: a key below the top is a list; keys are text"),
        ("x: " + "[" * 5000 + "]" * 5000 + "\n", "FILE: lists or mappings lie too deep"),
        ("x: 2024-13-45\n", "FILE: not valid YAML: month must be in 1..12"),
    ],
)
def test_what_yaml_allows_and_no_section_is(file: Path, added: str, message: str) -> None:
    assert re.search(message, refusal(file, DATES + added))


def test_aliases_that_multiply_are_refused_at_once(file: Path) -> None:
    levels = "".join(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 12))
    before = time.monotonic()
    assert "aliases (*name) make more than 100,000 values" in refusal(file, f"a0: &a0 [x]\n{levels}")
    assert time.monotonic() - before < 5


def test_an_override_is_read_by_the_same_rules(file: Path) -> None:
    assert "stands for the very thing" in refusal(file, overrides=("data.columns=&a {source: *a}",))
    assert "the key 1 is a whole number" in refusal(file, overrides=("data.columns={1: x}",))


def test_an_empty_section_has_its_defaults(file: Path) -> None:
    file.write_text(DATES + "training:\n#  epochs: 3\nevaluation:\n  thresholds:\n  split: eval\nclips:\n")
    assert config.load(file) == config.load(file, ["training.epochs=10"])
    assert "training.epochs must be a whole number. Received: null" in refusal(file, DATES + "training: {epochs: }\n")


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        (
            "{exact_match: {min: 85}}",
            "thresholds.exact_match.min must be a value that exact_match can have: from 0 to 1. "
            "Received: 85. As a share, 85 percent is 0.85",
        ),
        ("{bleu: {max: 101}}", "from 0 to 100. Received: 101$"),
        ("{example_count: {min: -1}}", "example_count.min must be .*: from 0. Received: -1"),
        ("{exact_match: {min: .nan}}", "must be a finite number"),
    ],
)
def test_a_bound_that_nothing_can_meet_is_refused(file: Path, bounds: str, message: str) -> None:
    assert re.search(message, refusal(file, DATES + f"evaluation: {{thresholds: {bounds}}}\n"))


def test_a_loss_greater_than_all_values_is_refused_and_the_ends_are_not(file: Path) -> None:
    config.load(file, ["evaluation.thresholds={exact_match: {min: 0, max: 1}, bleu: {min: 100}}"])
    told = refusal(file, DATES + "evaluation: {max_regression: {exact_match: 2}}\n")
    assert "evaluation.max_regression.exact_match must be a value" in told


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "{against_baseline: {metric: exact_match, worse_by: 2}}",
            "evaluation.against_baseline.worse_by must be a value",
        ),
        (
            "{against_baseline: {metric: blue}}",
            'Unknown metric "evaluation.against_baseline.metric: blue" .* mean bleu',
        ),
        (
            "{against_baseline: {metric: bleu, confidence: 1}}",
            "evaluation.against_baseline.confidence must be less than 1",
        ),
        ("{against_baseline: bleu}", "evaluation.against_baseline"),
        (
            "{slice_by: [country]}",
            "slice_by names columns of tables .tsv, csv, jsonl, parquet.; the data are sample:dates",
        ),
        ("{slice_by: [source, source]}", "Each column is named once"),
        ("{slice_by: [source]}", "remove source: labels and lengths have slices of their own"),
        ("{slice_by: ['']}", "evaluation.slice_by.0 must have at least 1 character"),
    ],
)
def test_a_comparison_and_slices_that_cannot_be_made_are_refused(file: Path, given: str, message: str) -> None:
    assert re.search(message, refusal(file, DATES + f"evaluation: {given}\n"))
