"""What recurrent cells remember, and why: the study of `docs/recurrent_gradients.md`.

    python -m benchmarks.studies.recurrent_gradients docs/figures

writes four charts and `recurrent_gradients.json` with their figures.
"""

import argparse
import dataclasses
import functools
import json
import math
import pathlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.studies.charts import Line, line_chart
from models.gradient_flow import cells_of, gradient_norms
from models.guarded_optimizers import GuardedAdam
from models.layers.recurrent import RecurrentStack
from models.registry import TASKS
from models.run_settings import RunSettings
from models.tokenizers.vocabularies import Vocabularies, learn_vocabulary, split_units
from models.training import train

STEPS, HIDDEN, SYMBOLS, BATCH = 200, 32, 8, 32
TRAINING_STEPS, LEARNING_RATE, DESCENT_RATE, CLIP_NORM = 300, 3e-3, 1e-2, 1.0
LENGTHS, ATTENTIONS, LETTERS = (5, 10, 20, 40), ("none", "bahdanau"), "abcdefgh"


@dataclasses.dataclass(frozen=True)
class Start:
    """A cell and how it begins.

    Attributes:
        name: in the charts.
        cell: key of `models.layers.recurrent.CELLS`.
        gain: by which Keras's orthogonal recurrent weights are multiplied.
        gate_bias: of the gate that keeps the state (forget of an LSTM, update of a GRU); None: Keras's.
    """

    name: str
    cell: str
    gain: float = 1.0
    gate_bias: float | None = None

    def stack(self) -> RecurrentStack:
        """One layer that begins so."""
        keras.utils.set_random_seed(1)
        stack = RecurrentStack(self.cell, HIDDEN, 1, bidirectional=False)
        stack.build((None, None, SYMBOLS))
        [cell] = cells_of(stack)
        cell.recurrent_kernel.assign(cell.recurrent_kernel * self.gain)
        if self.gate_bias is not None:
            bias = cell.bias.numpy()
            # Keras: input, forget, candidate, output gates side by side; update, reset, candidate in the first row.
            place = np.s_[HIDDEN : 2 * HIDDEN] if self.cell == "lstm" else np.s_[0, :HIDDEN]
            bias[place] = self.gate_bias
            cell.bias.assign(bias)
        return stack


STARTS = (
    Start("simple", "simple"),
    Start("simple, weights x 2", "simple", gain=2.0),
    Start("lstm", "lstm"),
    Start("lstm, forget bias 3", "lstm", gate_bias=3.0),
    Start("gru", "gru"),
    Start("gru, update bias 3", "gru", gate_bias=3.0),
)
# Cell, optimizer, clipping. The GRU's gradients never come near the bound, so it stands here once.
RUNS: tuple[tuple[Start, str, float | None], ...] = (
    (STARTS[1], "sgd", None),
    (STARTS[1], "sgd", CLIP_NORM),
    (STARTS[1], "adam", None),
    (STARTS[1], "adam", CLIP_NORM),
    (STARTS[3], "adam", None),
    (STARTS[3], "adam", CLIP_NORM),
    (STARTS[5], "adam", None),
)


class PlainDescent:
    """Stochastic gradient descent, without the guard that Seqline's own optimizers have."""

    def __init__(self, clip_norm: float | None):
        self.clip_norm = clip_norm

    def apply(self, gradients: list[tf.Tensor], variables: list[Any]) -> None:
        """One step."""
        if self.clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self.clip_norm)
        for gradient, variable in zip(gradients, variables, strict=True):
            variable.assign_sub(DESCENT_RATE * gradient)


def recall_batch(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One symbol, then noise, float (B, T, 8); the symbol, int (B,), is asked for at the end."""
    symbols = rng.integers(SYMBOLS, size=BATCH)
    inputs = rng.normal(0, 0.3, (BATCH, STEPS, SYMBOLS))
    inputs[:, 0] = 3 * np.eye(SYMBOLS)[symbols]
    return inputs.astype(np.float32), symbols


def flow() -> dict[str, list[float]]:
    """For each cell the norm of the gradient by the state after each step."""
    inputs, symbols = recall_batch(np.random.default_rng(0))
    keras.utils.set_random_seed(2)
    head = keras.layers.Dense(SYMBOLS)
    head.build((None, HIDDEN))

    def loss(last: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(symbols, head(last), from_logits=True))

    norms = {start.name: gradient_norms(cells_of(start.stack()), tf.constant(inputs), loss)[0] for start in STARTS}
    return {name: [float(norm) for norm in of_cell] for name, of_cell in norms.items()}


def recall(start: Start, optimizer_name: str, clip_norm: float | None) -> dict[str, list[float]]:
    """Trains a cell to say which symbol came first; the loss and the gradient norm of each step."""
    stack, head = start.stack(), keras.layers.Dense(SYMBOLS)
    head.build((None, HIDDEN))
    variables = [*stack.trainable_variables, *head.trainable_variables]
    adam = GuardedAdam(LEARNING_RATE, clip_norm, halts=False)
    adam.build(variables)
    optimizer: Any = adam if optimizer_name == "adam" else PlainDescent(clip_norm)
    mask = tf.ones((BATCH, STEPS), tf.bool)

    @tf.function
    def step(inputs: tf.Tensor, symbols: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            hidden_states, _ = stack(inputs, mask, training=True)
            scores = head(hidden_states[:, -1])
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(symbols, scores, from_logits=True))
            adam.scale_loss(loss)
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        optimizer.apply(gradients, variables)
        return loss, tf.linalg.global_norm(gradients)

    rng = np.random.default_rng(3)
    figures = [step(*map(tf.constant, recall_batch(rng))) for _ in range(TRAINING_STEPS)]
    losses, norms = ([float(one) for one in column] for column in zip(*figures, strict=True))
    return {"loss": losses, "gradient_norm": norms}


def copy_accuracy(length: int, attention: str, epochs: int = 12) -> float:
    """Trains seq2seq to copy random letters; share of the held-out letters that it predicts, given those before."""
    model = {"architecture": "seq2seq", "attention": attention, "embedding_dim": 16, "hidden_dim": 64, "dropout": 0.0}
    settings = RunSettings.model_validate(
        {
            "name": "copy",
            "task": "text_to_text",
            "model": model | {"num_layers": 1},
            "tokenizer": {"unit": "character"},
            "training": {"batch_size": 64, "epochs": epochs, "learning_rate": 5e-3, "early_stopping_patience": 0},
        }
    )
    rng = np.random.default_rng(4)
    texts = ["".join(rng.choice(list(LETTERS), length)) for _ in range(2200)]
    counts = Counter(unit.decode() for unit in split_units(tf.constant(texts), settings.tokenizer).flat_values.numpy())
    pieces = learn_vocabulary(counts, settings.tokenizer)
    vocabularies = Vocabularies(settings.tokenizer, {"source": pieces, "target": pieces})
    with tempfile.TemporaryDirectory() as folder:
        files = [
            _write(part, settings, vocabularies, f"{folder}/{len(part)}.gz") for part in (texts[200:], texts[:200])
        ]
        _, state = train(settings, vocabularies, files[:1], files[1:], f"{folder}/state")
    return max(0.0, state.best_metrics["val_token_accuracy"])


def _write(texts: list[str], settings: RunSettings, vocabularies: Vocabularies, file: str) -> str:
    raw: dict[str, Any] = {name: tf.constant(texts)[:, tf.newaxis] for name in ("source", "target")}
    transformed = TASKS[settings.task].code().preprocess(raw, vocabularies)
    columns = {name: tf.RaggedTensor.from_sparse(value).to_list() for name, value in transformed.items()}
    with tf.io.TFRecordWriter(file, "GZIP") as writer:
        for row in range(len(texts)):
            example = tf.train.Example()
            for name, values in columns.items():
                example.features.feature[name].int64_list.value.extend(values[row])
            writer.write(example.SerializeToString())
    return file


def _timed(parts: dict[str, float], name: str, work: Callable[[], Any]) -> Any:
    begin = time.monotonic()
    found = work()
    parts[name] = round(time.monotonic() - begin, 1)
    print(f"{name}: {parts[name]} s", flush=True)
    return found


def study() -> dict[str, Any]:
    """All figures."""
    seconds: dict[str, float] = {}
    result: dict[str, Any] = {"flow": _timed(seconds, "flow", flow), "recall": {}, "copy": {}}
    for run in RUNS:
        result["recall"][name_of(*run)] = _timed(seconds, name_of(*run), functools.partial(recall, *run))
    for attention in ATTENTIONS:
        work = {length: functools.partial(copy_accuracy, length, attention) for length in LENGTHS}
        result["copy"][attention] = {n: _timed(seconds, f"copy {n}, {attention}", one) for n, one in work.items()}
    return result | {"seconds": seconds}


def name_of(start: Start, optimizer: str, clip_norm: float | None) -> str:
    """Of a run, for the charts."""
    return f"{start.cell}, {optimizer}{', clipped' if clip_norm else ''}"


def _smooth(values: list[float], width: int = 10) -> list[float]:
    return [float(np.mean(values[max(0, at - width + 1) : at + 1])) for at in range(len(values))]


def charts(result: dict[str, Any]) -> dict[str, str]:
    """The SVG files."""
    steps = list(range(1, STEPS + 1))
    flows = [Line(name, steps, norms) for name, norms in result["flow"].items()]
    training = list(range(1, TRAINING_STEPS + 1))
    norms = [Line(name, training, one["gradient_norm"]) for name, one in result["recall"].items()]
    losses = [Line(name, training, _smooth(one["loss"])) for name, one in result["recall"].items()]
    copies = [Line(name, LENGTHS, [of[n] for n in LENGTHS]) for name, of in result["copy"].items()]
    guess = Line("a guess", LENGTHS, [(n / len(LETTERS) + 1) / (n + 1) for n in LENGTHS])
    return {
        "gradient_by_step": line_chart(
            "Gradient of the loss at step 200 by the state of each step",
            ("step", "norm"),
            flows,
            (1e-20, 1e15),
            log_y=True,
        ),
        "gradient_in_training": line_chart(
            "Recall over 200 steps: gradient norm before clipping",
            ("training step", "norm"),
            norms,
            (1e-3, 1e15),
            log_y=True,
        ),
        "loss_in_training": line_chart(
            "Recall over 200 steps: loss, mean of ten steps",
            ("training step", "nats"),
            losses,
            (0.0, 2 * math.log(SYMBOLS)),
        ),
        "copy": line_chart("Copying letters", ("letters", "accuracy"), [*copies, guess], (0.0, 1.0)),
    }


def written(value: Any) -> Any:
    """Figures as they stand in the file: five digits, null for what is no number."""
    if isinstance(value, dict):
        return {key: written(one) for key, one in value.items()}
    if isinstance(value, list):
        return [written(one) for one in value]
    return (float(f"{value:.5g}") if math.isfinite(value) else None) if isinstance(value, float) else value


def main() -> None:
    """Runs the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    result = study()
    for name, svg in charts(result).items():
        (folder / f"recurrent_{name}.svg").write_text(svg, encoding="utf-8")
    (folder / "recurrent_gradients.json").write_text(json.dumps(written(result)), encoding="utf-8")


if __name__ == "__main__":
    main()
