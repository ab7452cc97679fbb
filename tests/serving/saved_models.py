"""Small SavedModels for the tests of the server."""

import itertools
import shutil
import threading
from pathlib import Path

import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import saved_model_pb2

_numbers = itertools.count()


def floats(*shape: int | None, name: str = "x") -> tf.TensorSpec:
    return tf.TensorSpec(shape, tf.float32, name=name)


def save(folder: Path, **signatures) -> Path:
    """Writes tf.functions as signatures; `serving_default` by that name."""
    module = tf.Module()
    module.functions = list(signatures.values())
    # Variables have to hang on the module to be saved.
    module.held = [getattr(function, "held", None) for function in signatures.values()]
    tf.saved_model.save(module, str(folder), signatures=signatures)
    return folder


def save_line(folder: Path, offset: float = 2.0, slope: float = 0.5) -> Path:
    """half_plus_two and its kin: `y` = slope * x + offset, and `double` of it."""
    variable = tf.Variable([slope, offset])

    @tf.function(input_signature=[floats(None)])
    def line(x):
        y = variable[0] * x + variable[1]
        return {"y": y, "double": 2.0 * y}

    line.held = variable
    return save(folder, serving_default=line)


def save_text_classifier(folder: Path) -> Path:
    """`text` -> `label`, `scores`, `classes`: positive where the text contains "good"."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def classify(text):
        good = tf.cast(tf.strings.regex_full_match(text, ".*good.*"), tf.float32)
        scores = tf.stack([1.0 - good, good], axis=1)  # (B, 2)
        classes = tf.constant(["neg", "pos"])
        label = tf.gather(classes, tf.argmax(scores, axis=1))
        return {"label": label, "scores": scores, "classes": tf.tile(classes[tf.newaxis], [tf.shape(text)[0], 1])}

    return save(folder, serving_default=classify)


def save_transformer(folder: Path) -> Path:
    """`source` -> `target`, `score`: upper case."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="source")])
    def transform(source):
        target = tf.strings.upper(source, encoding="utf-8")
        return {"target": target, "score": -tf.cast(tf.strings.length(source), tf.float32)}

    return save(folder, serving_default=transform)


def save_shapes(folder: Path) -> Path:
    """Signatures over (B, T) inputs with a variable T, and outputs that cannot be split by rows."""

    @tf.function(input_signature=[floats(None, None)])
    def row_sum(x):
        return {"total": tf.reduce_sum(x, axis=1)}

    @tf.function(input_signature=[floats(None)])
    def grand_total(x):
        return {"total": tf.reduce_sum(x)}

    @tf.function(input_signature=[floats(None)])
    def root(x):
        with tf.control_dependencies([tf.debugging.assert_non_negative(x, message="negative input")]):
            return {"y": tf.sqrt(x)}

    @tf.function(input_signature=[floats(None, name="a"), floats(None, name="b")])
    def add(a, b):
        return {"sum": a + b}

    @tf.function(input_signature=[floats(name="x")])
    def scalar(x):
        return {"y": x + 1.0}

    @tf.function(input_signature=[])
    def constant():
        return {"answer": tf.constant(42, tf.int64)}

    return save(
        folder, serving_default=row_sum, total=grand_total, root=root, add=add, scalar=scalar, constant=constant
    )


class Gate:
    """A model whose runs wait until the test lets them go, and that notes the rows of each run.

    Its graph calls back into this process, so it only works with a server in the same process.
    """

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()

    def save(self, folder: Path, offset: float = 0.0) -> Path:
        def pass_through(x):
            self.rows.append(len(x))
            self.entered.release()
            self.open.wait(20)
            return x

        @tf.function(input_signature=[floats(None)])
        def gated(x):
            y = tf.numpy_function(pass_through, [x], tf.float32)
            return {"y": tf.ensure_shape(y, [None]) + offset}

        # The graph knows the Python function by number only; it lives as long as the tf.function.
        self._held = [*getattr(self, "_held", []), gated]
        return save(folder, serving_default=gated)


def edit_signature(
    folder: Path, defaults: dict[str, tensor_pb2.TensorProto] | None = None, method_name: str = ""
) -> None:
    """Changes `serving_default` of a saved model where tf.saved_model.save offers no way."""
    path = folder / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    signature = saved.meta_graphs[0].signature_def["serving_default"]
    for alias, value in (defaults or {}).items():
        signature.defaults[alias].CopyFrom(value)
    if method_name:
        signature.method_name = method_name
    path.write_bytes(saved.SerializeToString())


def publish(source: Path, base: Path, version: int) -> Path:
    """Puts a version in place the way Pusher does: under another name first, then renamed."""
    base.mkdir(parents=True, exist_ok=True)
    staging = base / f"staging-{next(_numbers)}"
    shutil.copytree(source, staging)
    return staging.rename(base / str(version))
