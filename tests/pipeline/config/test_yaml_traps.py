"""What YAML turns into something else, numbers without end, and files that never end: one sentence each."""

from pathlib import Path

import pytest

from pipeline.config import config
from pipeline.errors import ConfigError
from tests.pipeline.config.conftest import DATES, refusal

REFUSED = [
    ("training: {epochs: 010}", "FILE line 7: YAML reads 010 as a number of base 8, 8; write the number that is meant"),
    ("training: {epochs: 1:30}", "FILE line 7: YAML reads 1:30 as a number of base 60, 90; write the number"),
    ("training: {learning_rate: 1:30.5}", "YAML reads 1:30.5 as a number of base 60, 90.5"),
    ("seed: -017", "YAML reads -017 as a number of base 8, -15"),
    ("output_dir: 0777", 'or put text in quotes: "0777"'),
    ("evaluation: {length_buckets: [010, 20]}", "YAML reads 010 as a number of base 8, 8"),
    ("1: x", 'FILE line 7: the key 1 is a whole number to YAML, and keys are text. If it is meant, quote it: "1"'),
    ("yes: x", 'the key yes is true or false to YAML, and keys are text. If it is meant, quote it: "yes"'),
    ("evaluation: {thresholds: {off: {min: 1}}}", "the key evaluation.thresholds.off is true or false to YAML"),
    ("2024-03-05: x", 'quote it: "2024-03-05"'),
    ("training: {learning_rate: .inf}", "FILE line 7: training.learning_rate must be a finite number. Received: Inf"),
    ("training: {clip_norm: .inf}", "FILE line 7: training.clip_norm must be a finite number. Received: Infinity"),
    ("model: {architecture: seq2seq, dropout: .nan}", "model.dropout must be a finite number. Received: NaN"),
    ("decoding: {length_penalty: .inf}", "decoding.length_penalty must be a finite number"),
    ("evaluation: {thresholds: {exact_match: {min: .nan}}}", "thresholds.exact_match.min must be a finite number"),
    ("evaluation: {max_regression: {bleu: .inf}}", "evaluation.max_regression.bleu must be a finite number"),
    ("data: {source: 'sample:dates', max_bad_fraction: .nan}", "data.max_bad_fraction must be a finite number"),
    (
        "training: &t {epochs: 3, self: *t}",
        "FILE line 7: the alias below training.self stands for the very thing it is part of",
    ),
]


def with_section(text: str) -> str:
    """The small configuration with a section more, or another one in its place."""
    key = text.partition(":")[0]
    kept = [f"{block}" for block in DATES.split("\n") if block and not block.startswith(" ")]
    blocks = {line.partition(":")[0]: line for line in kept}
    if key not in blocks:
        return f"{DATES}{text}\n"
    data, model = "data: {source: 'sample:dates'}", "model: {architecture: seq2seq}"
    lines = {"name": "name: dates", "task": "task: text_to_text", "data": data, "model": model} | {key: text}
    return "\n".join(lines.values()) + "\n"


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[text for text, _ in REFUSED])
def test_a_trap_is_refused_in_a_sentence(file: Path, text: str, message: str) -> None:  # noqa: F811
    told = refusal(file, with_section(text))
    assert message in told and len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epochs=010", "--set training.epochs=010: YAML reads 010 as a number of base 8, 8"),
        ("training.learning_rate=.inf", "training.learning_rate must be a finite number"),
        ("evaluation.thresholds={1: {min: 1}}", "keys are text"),
    ],
)
def test_a_trap_in_an_override_is_refused(file: Path, override: str, message: str) -> None:  # noqa: F811
    assert message in refusal(file, overrides=(override,))


def test_aliases_that_multiply_are_refused_at_once(file: Path) -> None:  # noqa: F811
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "aliases (*name) make more than 100,000 values" in refusal(file, "\n".join(lines))


def test_what_means_what_it_says_is_read(file: Path) -> None:  # noqa: F811
    file.write_text(
        "training: {epochs: 8}\nname: dates\ntask: text_to_text\n"
        "data: {source: 'sample:dates', sample_seed: 0x1F, sample_size: 1_000}\n"
        + "model: {architecture: seq2seq, dropout: 0.0}\ntokenizer: {lowercase: yes}\nseed: 0\n",
        encoding="utf-8",
    )
    loaded = config.load(file, ["training.clip_norm=null"])
    assert (loaded.data.sample_seed, loaded.data.sample_size, loaded.seed) == (31, 1000, 0)
    assert loaded.tokenizer.lowercase is True


@pytest.mark.parametrize("text", ["training: {clip_norm: }", "training:\n  clip_norm:\n", "training: {clip_norm: ~}"])
def test_empty_means_off(file: Path, text: str) -> None:  # noqa: F811
    file.write_text(f"{DATES}{text}\n", encoding="utf-8")
    assert config.load(file).training.clip_norm is None


def test_an_empty_override_means_off_too(file: Path) -> None:  # noqa: F811
    assert config.load(file, ["training.clip_norm="]).training.clip_norm is None
    assert "Received" in refusal(file, overrides=("training.learning_rate=",))


def test_a_section_whose_keys_are_all_commented_out_has_its_defaults(file: Path) -> None:  # noqa: F811
    file.write_text(f"{DATES}training:\n#  epochs: 3\n", encoding="utf-8")
    assert config.load(file).training == config.load(file, ["training={}"]).training
    assert "data" in refusal(file, "name: dates\ntask: text_to_text\nmodel: {architecture: seq2seq}\ndata:\n")


def test_the_server_knows_no_infinity(file: Path) -> None:  # noqa: F811
    with pytest.raises(ConfigError, match="finite"):
        config.load(file, ["serving.grace_seconds=.inf"])
