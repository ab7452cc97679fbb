"""A model whose weights are no numbers is neither judged, nor served, nor told to be good."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.types.standard_artifacts import Model

from components.errors import EvaluationError
from components.evaluation.executor import Executor
from components.serving_validator.component import validate
from components.weights import broken_weights
from serving.settings import ServingSettings
from tests.components.evaluation.test_judgement import ROWS, SENTIMENT
from tests.components.evaluation.tiny_models import KeywordClassifier, save, to_example


class Weighted(KeywordClassifier):
    def __init__(self, values: list[float], dtype: tf.DType) -> None:
        super().__init__(SENTIMENT)
        self.bias = tf.Variable(tf.cast(values, dtype), name="bias")
        self.counter = tf.Variable(3, name="counter")


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_broken_weights_are_named(tmp_path: Path, dtype: tf.DType, value: float):
    model = save(Weighted([0.0, value], dtype), tmp_path / "model")
    found = broken_weights(model)
    assert [name.partition("/")[0] for name in found] == ([] if value == 1e30 else ["bias"])


def test_a_model_without_weights_is_whole(tmp_path: Path):
    assert broken_weights(save(KeywordClassifier(SENTIMENT), tmp_path / "model")) == []


def test_it_is_neither_judged_nor_blessed(tmp_path: Path):
    model = save(Weighted([np.nan], tf.float32), tmp_path / "artifact" / "Format-Serving")
    artifact = Model()
    artifact.uri = str(tmp_path / "artifact")
    with pytest.raises(EvaluationError, match="all its weights are finite numbers. Received: bias"):
        Executor().Do({"model": [artifact]}, {}, {})
    (tmp_path / "blessing").mkdir()
    examples = [to_example(row).SerializeToString() for row in ROWS]
    reason = validate(model, examples, tmp_path / "blessing", "tiny", ServingSettings())
    assert reason.startswith("weights that are not finite numbers: bias")
    assert [path.name for path in (tmp_path / "blessing").iterdir()] == ["reason.txt"]
