"""Learning rates by layer beside a plain reading of Adam."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.guarded_optimizers import GuardedAdam, GuardedAdamW
from models.layer_rates import LayerRates, layers_below
from models.registry import TASKS
from models.training import build_model
from tests.models.conftest import learn, run_settings

RATE, DECAY, STEPS, SHRINK = 0.1, 0.5, 2, 0.2
TEXTS = [{"text": "a b", "label": "x"}, {"text": "b", "label": "y"}]
TRANSFORMER = {"architecture": "transformer", "hidden_dim": 4, "num_heads": 2, "num_layers": 2, "norm": "before"}


@pytest.mark.parametrize("shrink", [0.0, SHRINK])
def test_each_layer_has_its_rate_and_begins_when_it_should(shrink):
    rng = np.random.default_rng(0)
    weights = [keras.Variable(rng.normal(size=(3,)).astype("float32"), name=name) for name in ("low", "middle", "head")]
    below = {weight.path: 2 - place for place, weight in enumerate(weights)}
    optimizer = GuardedAdamW(RATE, None, True, weight_decay=shrink) if shrink else GuardedAdam(RATE, None, True)
    optimizer.rates = LayerRates(below, DECAY, STEPS)
    wanted = [weight.numpy().astype(np.float64) for weight in weights]
    first, second = ([np.zeros(3) for _ in weights] for _ in range(2))
    for step in range(6):
        gradients = [rng.normal(size=(3,)).astype("float32") for _ in weights]
        optimizer.scale_loss(tf.constant(1.0))
        optimizer.apply([tf.constant(gradient) for gradient in gradients], weights)
        for place, gradient in enumerate(gradients):
            layers = 2 - place
            rate = RATE * DECAY**layers if step >= layers * STEPS else 0.0
            first[place] = 0.9 * first[place] + 0.1 * gradient
            second[place] = 0.999 * second[place] + 0.001 * gradient.astype(np.float64) ** 2
            mean, root = first[place] / (1 - 0.9 ** (step + 1)), np.sqrt(second[place] / (1 - 0.999 ** (step + 1)))
            wanted[place] = wanted[place] * (1 - rate * shrink) - rate * mean / (root + 1e-7)
        for weight, number in zip(weights, wanted, strict=True):
            np.testing.assert_allclose(weight.numpy(), number, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model", [TRANSFORMER, {"architecture": "recurrent", "hidden_dim": 4, "num_layers": 2}])
def test_the_head_stands_above_the_layers_and_the_embedding_below(model):
    settings = run_settings("text_classification", model | {"embedding_dim": 4})
    built = build_model(settings, learn(TEXTS, settings))
    below = layers_below(built, TASKS["text_classification"].code())
    assert set(below) == {weight.path for weight in built.weights}

    def of(part: str) -> set[int]:
        return {layers for path, layers in below.items() if part in path}

    names = ("layer_0/", "layer_1/") if model is TRANSFORMER else ("lstm_0/", "lstm_1/")
    assert [of(part) for part in ("logits", names[1], names[0], "token_embedding")] == [{0}, {1}, {2}, {3}]
    if model is TRANSFORMER:
        assert of("encoder/norm/") == {1}
