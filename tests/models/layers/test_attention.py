import numpy as np
import pytest
import tensorflow as tf

from models.layers.attention import BahdanauAttention, LuongAttention, attend
from models.layers.attention_decoder import AttentionDecoder


def test_weights_are_the_softmax_over_real_positions():
    scores = np.log([[1.0, 3.0, 100.0]]).astype("float32")
    values = np.array([[[1.0], [5.0], [9.0]]], "float32")
    context, weights = attend(scores, values, np.array([[True, True, False]]))
    np.testing.assert_allclose(weights, [[0.25, 0.75, 0.0]], atol=1e-6)
    np.testing.assert_allclose(context, [[4.0]], atol=1e-5)


def test_luong_score_is_the_product_of_query_and_projected_key():
    attention = LuongAttention(2)
    attention.build((None, 2))
    attention.key_projection.set_weights([np.array([[1.0, 2.0], [3.0, 4.0]], "float32")])
    keys = attention.project_keys(np.eye(2, dtype="float32")[None])
    np.testing.assert_allclose(attention(np.array([[10.0, 1.0]], "float32"), keys), [[12.0, 34.0]])


def test_bahdanau_score_is_v_tanh_of_the_sum():
    attention = BahdanauAttention(1)
    attention.build((None, 1))
    attention.query_projection.set_weights([np.array([[2.0]], "float32")])
    attention.key_projection.set_weights([np.array([[1.0]], "float32"), np.array([0.5], "float32")])
    attention.score_projection.set_weights([np.array([[3.0]], "float32")])
    keys = attention.project_keys(np.array([[[0.0], [1.0]]], "float32"))
    expected = 3 * np.tanh([[2 * 0.1 + 0.5, 2 * 0.1 + 1.5]])
    np.testing.assert_allclose(attention(np.array([[0.1]], "float32"), keys), expected, rtol=1e-5)


@pytest.mark.parametrize("attention", ["bahdanau", "luong", "none"])
def test_step_by_step_equals_the_whole_pass(attention):
    rng = np.random.default_rng(0)
    decoder = AttentionDecoder(attention, 4, 2)
    decoder.build((None, None, 3))
    memory = decoder.remember(
        tf.constant(rng.normal(size=(2, 6, 4)), tf.float32), tf.constant([[True] * 6, [True] * 4 + [False] * 2])
    )
    start = decoder.start(2, 5, [[tf.constant(rng.normal(size=(2, 4)), tf.float32) for _ in "hc"] for _ in range(2)])
    embedded = tf.constant(rng.normal(size=(2, 5, 3)), tf.float32)
    outputs, weights = decoder(embedded, start, memory)
    cache = start
    for time in range(5):
        output, cache, step_weights = decoder.step(embedded[:, time], cache, memory)
        np.testing.assert_allclose(output, outputs[:, time], atol=1e-5)
        np.testing.assert_allclose(step_weights, weights[:, time], atol=1e-5)
    if attention != "none":
        np.testing.assert_allclose(np.sum(weights, axis=-1), 1, atol=1e-5)
        assert not np.any(weights[1, :, 4:])
