"""Small SavedModels for the tests of the server."""

import itertools
import json
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


def save_half(folder: Path, offset: float = 2.0) -> Path:
    """`y` = x / 2 + offset, and nothing else."""

    @tf.function(input_signature=[floats(None)])
    def half(x):
        return {"y": x / 2.0 + offset}

    return save(folder, serving_default=half)


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


def save_sleeper(folder: Path) -> Path:
    """`done` = `seconds`, after as many seconds; TensorFlow can end the sleep."""

    @tf.function(input_signature=[floats(None, name="seconds")])
    def sleep(seconds):
        micros = tf.cast(1e6 * tf.reduce_max(seconds), tf.int64)
        types, shapes = [tf.int64], [tf.TensorShape([])]
        source = tf.data.Dataset.range(1)._variant_tensor
        dataset = tf.raw_ops.SleepDataset(
            input_dataset=source, sleep_microseconds=micros, output_types=types, output_shapes=shapes
        )
        (zero,) = tf.raw_ops.DatasetToSingleElement(dataset=dataset, output_types=types, output_shapes=shapes)
        return {"done": seconds + tf.cast(zero, tf.float32)}

    return save(folder, serving_default=sleep)


def save_padded(folder: Path) -> Path:
    """Signatures whose outputs are padded to the longest row of a batch, and the description that says so."""
    strings = tf.TensorSpec([None], tf.string, name="text")

    @tf.function(input_signature=[strings, tf.TensorSpec([None], tf.int32, name="k")])
    def repeat(text, k):
        k = tf.clip_by_value(k, 1, 9)
        widest = tf.reduce_max(k)
        real = tf.sequence_mask(k, widest)
        target = tf.where(real, tf.repeat(text[:, tf.newaxis], widest, axis=1), "")
        return {"target": target, "score": tf.where(real, 0.5, -1e9)}

    @tf.function(input_signature=[strings])
    def words(text):
        cut = tf.strings.split(text)
        lengths = tf.cast(cut.row_lengths(), tf.int32)
        longest = tf.maximum(tf.reduce_max(lengths), 1)
        padded = cut.to_tensor()
        missing = tf.fill([tf.size(text), longest - tf.shape(padded)[1]], "")
        real = tf.cast(tf.sequence_mask(lengths, longest), tf.float32)
        pairs = real[:, :, tf.newaxis] * real[:, tf.newaxis]
        return {"words": tf.concat([padded, missing], axis=1), "pairs": pairs, "count": lengths}

    save(folder, serving_default=repeat, words=words, counted=words)
    pairs = {"words": 1, "pairs": 1}
    padded = {
        "serving_default": [{"outputs": {"target": 1, "score": 1}, "told_by": "k", "least": 1, "most": 9}],
        "words": [
            {"outputs": pairs, "told_by": "words", "padding": "", "least": 1},
            {"outputs": {"pairs": 2}, "told_by": "words", "padding": "", "least": 1},
        ],
        "counted": [{"outputs": {**pairs, "pairs": axis}, "told_by": "count"} for axis in (1, 2)],
    }
    (folder / "assets.extra").mkdir()
    (folder / "assets.extra" / "seqline.json").write_text(json.dumps({"padded_axes": padded, "name": "padded"}))
    return folder


def save_wide(folder: Path, outputs: int) -> Path:
    """`o0` = x, `o1` = x + 1 and so on."""

    @tf.function(input_signature=[floats(None)])
    def wide(x):
        return {f"o{index}": x + float(index) for index in range(outputs)}

    return save(folder, serving_default=wide)


def save_repeater(folder: Path) -> Path:
    """`y`, a row of `n` ones: a large answer to a small question."""

    @tf.function(input_signature=[tf.TensorSpec([1], tf.int32, name="n")])
    def repeat(n):
        return {"y": tf.ones([1, n[0]])}

    return save(folder, serving_default=repeat)


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


def save_examples(folder: Path) -> Path:
    """Signatures over serialized tf.Example with a float feature `x`: y = x / 2 + 2, and many that are wrong."""

    def over_examples(make, name="inputs"):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=name)])
        def run(serialized):
            parsed = tf.io.parse_example(serialized, {"x": tf.io.FixedLenFeature([1], tf.float32)})
            return make(parsed["x"] / 2.0 + 2.0)

        return run

    def labels(y, *names):
        return tf.tile(tf.constant([names]), [tf.shape(y)[0], 1])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs"), floats(None, name="b")])
    def two_inputs(serialized, b):
        return {"scores": tf.stack([b, b], 1)}

    return save(
        folder,
        serving_default=over_examples(lambda y: {"scores": y}),
        classify=over_examples(lambda y: {"classes": labels(y, "low", "high"), "scores": tf.concat([-y, y], 1)}),
        classes_only=over_examples(lambda y: {"classes": labels(y, "low", "high")}),
        regress=over_examples(lambda y: {"outputs": y}),
        regress_flat=over_examples(lambda y: {"outputs": y[:, 0]}),
        two_inputs=two_inputs,
        three_outputs=over_examples(lambda y: {"scores": y, "classes": labels(y, "a"), "more": y}),
        other_input=over_examples(lambda y: {"scores": y}, name="examples"),
        other_output=over_examples(lambda y: {"y": y}),
        flat_scores=over_examples(lambda y: {"scores": y[:, 0]}),
        double_scores=over_examples(lambda y: {"scores": tf.cast(y, tf.float64)}),
        number_classes=over_examples(lambda y: {"classes": y}),
        short_scores=over_examples(lambda y: {"scores": y[1:]}),
        short_classes=over_examples(lambda y: {"classes": labels(y, "a")[1:]}),
        unequal=over_examples(lambda y: {"classes": labels(y, "a", "b"), "scores": y}),
        deep_values=over_examples(lambda y: {"outputs": tf.concat([y, y], 1)}),
        short_values=over_examples(lambda y: {"outputs": y[1:]}),
        double_values=over_examples(lambda y: {"outputs": tf.cast(y, tf.float64)}),
    )


def copy(source: Path, folder: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(source, folder))


def replace_op(folder: Path, op: str, other: str) -> None:
    """Writes another op's name over one, in the graph and in its functions."""
    path = folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    graph = model.meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    replaced = [node for node in nodes if node.op == op]
    assert replaced, f"no {op} in the model"
    for node in replaced:
        node.op = other
    path.write_bytes(model.SerializeToString())
