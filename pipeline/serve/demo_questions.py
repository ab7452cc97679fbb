"""The questions that a demonstration asks of a running server, by task, worded for a person."""

from pathlib import Path
from typing import Any

import numpy as np

from models.registry import TASKS
from pipeline.config.config import Config
from pipeline.run.output_folder import OutputFolder
from pipeline.serve.ask import ask, asking, scored
from pipeline.serve.ask_audio import generate_clip


def held_out_examples(config: Config, examples: str, count: int) -> list[dict[str, Any]]:
    """Raw examples of the evaluation split, which the model has not seen in training.

    Args:
        config: of the run.
        examples: folder of the artifact.
        count: how many.

    Returns:
        Value by feature name: a string, or for sound its samples, float32 (N,).
    """
    import tensorflow as tf

    files = sorted(Path(examples, f"Split-{config.evaluation.split}").glob("*"))
    records = tf.data.TFRecordDataset([str(file) for file in files], compression_type="GZIP").take(count)
    found = []
    for record in records.as_numpy_iterator():
        values = tf.train.Example.FromString(record).features.feature
        found.append({feature.name: _value(values[feature.name]) for feature in TASKS[config.task].features})
    return found


def _value(feature: Any) -> Any:
    if feature.float_list.value:
        return np.array(feature.float_list.value, np.float32)
    return feature.bytes_list.value[0].decode("utf-8")


def answers_to(config: Config, examples: list[dict[str, Any]], port: int) -> list[str]:
    """Asks about the examples; returns a line for each: what was asked, the answer, what the data say."""
    if config.task == "audio_generation":
        return [_generated(config, example, seed, port) for seed, example in enumerate(examples, 1)]
    if config.task == "audio_classification":
        return [_heard(config, example, port) for example in examples]
    feature, expected = (feature.name for feature in TASKS[config.task].features)
    answers = ask(config, [example[feature] for example in examples], port)
    return [
        f"{example[feature]}  ->  {answer}  ({expected} in the data: {example[expected]})"
        for example, answer in zip(examples, answers, strict=True)
    ]


def _generated(config: Config, example: dict[str, Any], seed: int, port: int) -> str:
    conditions = {name: example[name] for name in config.model.condition_on}
    out = OutputFolder(config).root / "clips" / f"{config.name}-{seed}.wav"
    out.parent.mkdir(parents=True, exist_ok=True)
    asked = " ".join(f"--{name} {value}" for name, value in conditions.items())
    return f"{asked or 'anything'}  ->  {generate_clip(config, out, **conditions, seed=seed, port=port)}"


def _heard(config: Config, example: dict[str, Any], port: int) -> str:
    samples = example["audio"]
    with asking(config, port) as client:
        answer = client.classify_audio(samples)
    seconds = len(samples) / config.audio.sample_rate
    heard = scored(answer.label, answer.scores)
    return f"a recording of {seconds:.2f} s  ->  {heard}  (label in the data: {example['label']})"
