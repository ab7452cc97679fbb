"""The models that fuzzed requests go to, and requests to them that are right."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import ml_dtypes
import numpy as np
import tensorflow as tf

from tests.serving import saved_models

Inputs = Mapping[str, np.ndarray]

DTYPES: dict[str, type] = {
    "float32": np.float32,
    "float64": np.float64,
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "int8": np.int8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
    "uint8": np.uint8,
    "uint16": np.uint16,
    "uint32": np.uint32,
    "uint64": np.uint64,
    "bool": np.bool_,
    "complex64": np.complex64,
    "complex128": np.complex128,
    "string": np.object_,
}
_SAVED = {
    "line": saved_models.save_line,
    "text": saved_models.save_text_classifier,
    "shapes": saved_models.save_shapes,
    "examples": saved_models.save_examples,
}
CLASSIFYING = ("", "classify", "classify", "classes_only", "flat_scores", "double_scores", "unequal", "short_classes")
REGRESSING = (
    "regress",
    "regress",
    "regress_flat",
    "regress_flat",
    "other_output",
    "double_values",
    "deep_values",
    "short_values",
)
LABEL = "stable"


def save_models(folder: Path) -> Path:
    """Writes the models, each as version 1.

    Returns:
        A configuration file that names them all.
    """
    for name, save in {**_SAVED, "types": save_types}.items():
        save(folder / name / "1")
    entry = 'config {{ name: "{0}" base_path: "{1}/{0}" model_platform: "tensorflow" version_labels {{ {2} }} }}'
    label = f'key: "{LABEL}" value: 1'
    entries = " ".join(entry.format(name, folder, label) for name in [*_SAVED, "types"])
    file = folder / "models.config"
    file.write_text(f"model_config_list {{ {entries} }}")
    return file


def save_types(folder: Path) -> Path:
    """A signature per dtype that gives its input `x` back, as `y` and, strings, as `y_bytes`."""

    def echo(dtype: str) -> tf.types.experimental.PolymorphicFunction:
        @tf.function(input_signature=[tf.TensorSpec(None, dtype, name="x")])
        def run(x):
            return {"y": tf.identity(x), **({"y_bytes": tf.identity(x)} if dtype == "string" else {})}

        return run

    return saved_models.save(folder, serving_default=echo("float32"), **{dtype: echo(dtype) for dtype in DTYPES})


@dataclass(frozen=True)
class Call:
    """A Predict request that its model can answer."""

    model: str
    signature: str
    inputs: Inputs


def predict_call(rng: random.Random) -> Call:
    """Any legal request for Predict."""
    rows = rng.randint(1, 4)
    kind = rng.choice(("line", "text", "rows", "add", "scalar", "root", "constant", "types", "types", "parse"))
    if kind == "text":
        return Call("text", "", {"text": array(rng, "string", (rows,))})
    if kind == "types":
        dtype = rng.choice(list(DTYPES))
        shape = (rows, *(rng.randint(0, 3) for _ in range(rng.randint(0, 3)))) if rng.random() < 0.9 else ()
        return Call("types", dtype, {"x": array(rng, dtype, shape)})
    if kind == "parse":
        inputs = np.array([b"\x0a\x00"] * rows, dtype=object)
        return Call("examples", rng.choice(CLASSIFYING + REGRESSING), {"inputs": inputs})
    shapes = {"rows": ("shapes", "", {"x": (rows, 3)}), "add": ("shapes", "add", {"a": (rows,), "b": (rows,)})}
    shapes |= {kind: ("shapes", kind, {"x": (rows,)}) for kind in ("root", "total")}
    shapes |= {"scalar": ("shapes", "scalar", {"x": ()}), "constant": ("shapes", "constant", {})}
    model, signature, inputs = shapes.get(kind, ("line", "", {"x": (rows,)}))
    return Call(model, signature, {alias: array(rng, "float32", shape) for alias, shape in inputs.items()})


def array(rng: random.Random, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """An array of plain values."""
    count = int(np.prod(shape))
    values: list[object] = [rng.randint(0, 100) for _ in range(count)]
    if dtype == "string":
        values = [rng.choice((b"good", b"bad", "größe".encode(), b"\xff\x00", b"")) for _ in range(count)]
    out = np.empty(count, DTYPES[dtype])
    out[:] = values
    return out.reshape(shape)
