"""Google's translation system, whole, beside a plain reading of section 3 of Wu et al. (2016)."""

import numpy as np
import pydantic
import pytest
import tensorflow as tf

from models.architectures.settings.gnmt import GnmtSettings
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.special import SPECIAL_TOKENS
from models.tokenizers.vocabularies import Vocabularies
from models.training import build_model
from tests.models.conftest import run_settings
from tests.models.layers.equations import dense, keras_step, lstm_step, randomized, read, softmax
from tests.models.layers.test_attention import bahdanau

H = 4
SOURCES = np.array([[4, 5, 6, 7, 3], [8, 3, 0, 0, 0]])
TARGETS = np.array([[2, 4, 5, 6], [2, 7, 7, 4]])


def small(num_layers: int = 4):
    """With random weights, between vocabularies of ten tokens."""
    pieces = {name: [*SPECIAL_TOKENS, *"abcdef"] for name in ("source", "target")}
    model = {"architecture": "gnmt", "embedding_dim": 3, "hidden_dim": H, "num_layers": num_layers}
    settings = run_settings("text_to_text", model)
    built = build_model(settings, Vocabularies(TokenizerSettings(unit="character"), pieces))
    randomized(built, np.random.default_rng(2))
    return built


def encoded(encoder, vectors):
    """Outputs of the encoder for one row, and the final states of each layer."""
    bottom = encoder.bottom.layers[0]
    there, back = (
        list(read(lambda x, states, one=one: keras_step(one, x, states), sequence, H, 2))
        for one, sequence in ((bottom.forward_layer, vectors), (bottom.backward_layer, vectors[::-1]))
    )
    y = np.array([np.concatenate([one[0], other[0]]) for one, other in zip(there, back[::-1], strict=True)])
    final_states = [[np.concatenate(pair) for pair in zip(there[-1], back[-1], strict=True)]]
    for index, layer in enumerate(encoder.above.layers, start=1):
        seen = list(read(lambda x, states, one=layer: keras_step(one, x, states), y, H, 2))
        found = np.array([states[0] for states in seen])
        y = found + y if index >= 2 else found  # eq. 6, from the third layer on
        final_states.append(seen[-1])
    return y, final_states


def decoded(decoder, vectors, source, final_states):
    """What the decoder gives at each step of one row."""
    states = [
        [dense(of_h, h, np.tanh), dense(of_c, c)]
        for (of_h, of_c), (h, c) in zip(decoder.stack.bridges, final_states, strict=True)
    ]
    for x in vectors:
        alpha = softmax(np.array([bahdanau(decoder.scorer, states[0][0], h) for h in source]))  # eq. 4
        context = sum(a * h for a, h in zip(alpha, source, strict=True))
        for index, cell in enumerate(decoder.stack.cells):
            states[index] = lstm_step(cell, np.concatenate([x, context]), states[index])
            x = states[index][0] + (x if index >= 2 else 0)
        yield x


def test_logits_are_those_of_the_paper_whole_and_step_by_step():
    model = small()
    logits = model({"source_token_ids": SOURCES, "decoder_token_ids": TARGETS})
    tables = [np.asarray(part.embedding.embeddings) for part in (model.source_embedding, model.target_embedding)]
    for row, (source, target) in enumerate(zip(SOURCES, TARGETS, strict=True)):
        y, final_states = encoded(model.encoder, tables[0][source[source > 0]])
        steps = decoded(model.decoder, tables[1][target], y, final_states)
        expected = [dense(model.projection.projection, top) for top in steps]
        np.testing.assert_allclose(logits[row], expected, atol=1e-5)
    memory, cache = model.encode(tf.constant(SOURCES), 4)
    for time in range(4):
        stepped, cache, _ = model.next_token(tf.constant(TARGETS[:, time]), cache, memory)
        np.testing.assert_allclose(stepped, logits[:, time], atol=1e-5)


def test_it_has_at_least_the_layer_that_reads_from_both_ends_and_one_over_it():
    with pytest.raises(pydantic.ValidationError, match="num_layers"):
        GnmtSettings(num_layers=1)
    small(2)
