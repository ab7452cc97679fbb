"""The questions that a demonstration asks of a running server, made from held-out examples and worded for a person."""

from collections.abc import Sequence
from pathlib import Path

from components.requests import DEFAULT_SIGNATURE, Row, as_question, joined_inputs, row_of
from models.registry import TASKS
from pipeline.config.config import Config
from pipeline.run.output_folder import OutputFolder
from pipeline.serve.answers import makes_file
from pipeline.serve.ask import ask_rows, asking
from pipeline.serve.inputs import worded
from pipeline.serve.signatures import ServedSignature, served_signatures


def held_out_examples(config: Config, examples: str, count: int) -> list[Row]:
    """Raw examples of the evaluation split, which the model has not seen in training.

    Args:
        config: of the run.
        examples: folder of the artifact.
        count: how many.

    Returns:
        Value by feature name: UTF-8, or for sound its samples, float32 (N,).
    """
    import tensorflow as tf

    files = sorted(Path(examples, f"Split-{config.evaluation.split}").glob("*"))
    records = tf.data.TFRecordDataset([str(file) for file in files], compression_type="GZIP").take(count)
    features = TASKS[config.task].features
    return [as_question(row_of(record), features) for record in records.as_numpy_iterator()]


def answers_to(config: Config, examples: Sequence[Row], port: int) -> list[str]:
    """Asks about the examples; returns a line for each: what was asked, the answer, what the data say."""
    with asking(config, port) as client:
        [signature] = [each for each in served_signatures(client) if each.name == DEFAULT_SIGNATURE]
        folder = OutputFolder(config).root / "clips"
        if makes_file(signature.outputs):
            folder.mkdir(parents=True, exist_ok=True)
        lines = []
        for number, example in enumerate(examples, 1):
            out = folder / f"{config.name}-{number}.wav"
            # Where the model draws, each question has draws of its own.
            [answer] = ask_rows(client, config, signature, [{"seed": number, **example}], [out])
            lines.append(f"{_question(config, signature, example)}  ->  {answer}{_known(config, signature, example)}")
        return lines


def _question(config: Config, signature: ServedSignature, example: Row) -> str:
    words, features = [], TASKS[config.task].features
    read = signature.inputs.keys() | joined_inputs(signature.inputs, features).values()
    for feature in features:
        for name in {feature.name, feature.prompt} & read:
            option = f"--{feature.name} " if feature.facts.learned == "categories" else ""
            words.append(option + worded(feature, example[name], config))
    return " ".join(words) or "anything"


def _known(config: Config, signature: ServedSignature, example: Row) -> str:
    """The right answer, where the answer is judged by one that the question does not give away."""
    task = TASKS[config.task]
    key = task.judging.label_key
    if key in signature.inputs or task.judging.prediction_key not in signature.outputs:
        return ""
    [feature] = [feature for feature in task.features if feature.name == key]
    return f"  ({key} in the data: {worded(feature, example[key], config)})"
