"""The Transformer, whole, beside a plain reading of Vaswani et al. (2017), and what must hold of its cache."""

import itertools

import numpy as np
import pydantic
import pytest
import tensorflow as tf

from models.architectures.settings.transformer import TransformerSettings
from models.architectures.transformer import decoder, encoder
from models.layers.masks import real_visible
from models.registry import TASKS
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.special import END_TOKEN_ID, SPECIAL_TOKENS, START_TOKEN_ID
from models.tokenizers.vocabularies import Vocabularies
from models.training import build_model, train
from tests.models.architectures.test_seq2seq import rows
from tests.models.conftest import learn, run_settings, write_transformed
from tests.models.layers.equations import dense, normalized, randomized
from tests.models.layers.transformer_equations import block, sinusoid

H = 8
SIZES = {"architecture": "transformer", "embedding_dim": H, "hidden_dim": H, "num_layers": 2, "num_heads": 2}
GPT = {"norm": "before", "positions": "learned", "activation": "gelu"}
SOURCES = np.array([[4, 5, 6, 7, 3], [8, 3, 0, 0, 0]])
TARGETS = np.array([[2, 4, 5, 6], [2, 7, 7, 4]])
LETTERS = [*SPECIAL_TOKENS, *"abcdef"]


def small(task: str = "text_to_text", letters: list[str] = LETTERS, **model):
    """With random weights, and its settings and vocabularies."""
    settings = run_settings(task, SIZES | {"feed_forward_dim": 12} | model, decoding={"max_length": 3})
    names = ("source", "target") if task == "text_to_text" else ("text",)
    vocabularies = Vocabularies(TokenizerSettings(unit="character"), dict.fromkeys(names, letters))
    built = build_model(settings, vocabularies)
    randomized(built, np.random.default_rng(2))
    return built, settings, vocabularies


def test_logits_and_attention_are_those_of_the_paper():
    model, *_ = small()
    inputs = {"source_token_ids": tf.constant(SOURCES), "decoder_token_ids": tf.constant(TARGETS)}
    logits, weights = model.align(inputs)
    tables = [np.asarray(part.embedding.embeddings) for part in (model.source_embedding, model.target_embedding)]

    def entered(table, token_ids):
        return np.array([table[token] * H**0.5 + sinusoid(place, H) for place, token in enumerate(token_ids)])

    for row, (source, target) in enumerate(zip(SOURCES, TARGETS, strict=True)):
        states = entered(tables[0], source[source > 0])
        for layer in model.encoder.blocks:
            states, _ = block(layer, states, lambda t, s: True)
        found = entered(tables[1], target)
        for layer in model.decoder.blocks:
            found, looked = block(layer, found, lambda t, s: s <= t, states)
        np.testing.assert_allclose(logits[row], dense(model.projection.projection, found), atol=1e-5)
        np.testing.assert_allclose(weights[row, :, : len(states)], looked.mean(axis=0), atol=1e-5)
        assert not np.any(weights[row, :, len(states) :])


def test_a_language_model_is_gpt():
    model, *_ = small("language_modeling", tie_embeddings=True, **GPT)
    table = np.asarray(model.embedding.embedding.embeddings)
    places = np.asarray(model.decoder.entrance.positions.position_embeddings)
    found = np.array([table[token] + places[place] for place, token in enumerate(TARGETS[0])])
    for layer in model.decoder.blocks:
        found, _ = block(layer, found, lambda t, s: s <= t)
    wanted = [normalized(model.decoder.norm, row) @ table.T for row in found]
    np.testing.assert_allclose(model({"token_ids": TARGETS})[0], wanted, atol=1e-5)


@pytest.mark.parametrize("model", [{}, GPT, {"positions": "rotary", "activation": "gated"}], ids=str)
def test_a_cache_equals_the_whole_from_window_to_window_and_no_future_changes_the_past(model):
    settings = TransformerSettings(**SIZES | {"context_length": 4} | model)
    plays, rng = decoder(settings), np.random.default_rng(1)
    plays.build((None, None, H))
    randomized(plays, rng)
    source, vectors = (rng.normal(size=(2, length, H)).astype("float32") for length in (3, 11))
    memory = plays.remember(tf.constant(source), tf.constant([[True] * 3, [True, False, False]]))
    whole, weights = plays(tf.constant(vectors), plays.start(2, 11), memory)
    step, cache = tf.function(plays.step), plays.start(2, 11)
    for time in range(11):
        hidden_states, cache, looked = step(tf.constant(vectors[:, time]), cache, memory)
        np.testing.assert_allclose(hidden_states, whole[:, time], atol=1e-5)
        np.testing.assert_allclose(looked, weights[:, time], atol=1e-5)
    for time in (3, 6):
        other = np.concatenate([vectors[:, :time], rng.normal(size=(2, 11 - time, H))], 1).astype("float32")
        changed, _ = plays(tf.constant(other), plays.start(2, 11), memory)
        np.testing.assert_allclose(changed[:, :time], whole[:, :time], atol=1e-6)
        assert not np.allclose(changed[:, time], whole[:, time])


def test_a_wide_beam_over_the_cache_finds_the_best_of_all_targets():
    """As judged without a cache, target by target."""
    model, settings, vocabularies = small(letters=[*SPECIAL_TOKENS, "a", "b"])
    signatures = TASKS["text_to_text"].code().signatures(model, vocabularies, settings)
    source, found = tf.constant(["ab", "b"]), {}
    for length in range(4):
        for letters in itertools.product((4, 5), repeat=length):
            target = [*letters, END_TOKEN_ID]
            inputs = {
                "source_token_ids": tf.constant([[4, 5, 3], [5, 3, 0]]),
                "decoder_token_ids": tf.constant([[START_TOKEN_ID, *letters]] * 2),
            }
            log_probs = tf.nn.log_softmax(model(inputs))
            sums = [sum(log_probs[row, time, token] for time, token in enumerate(target)) for row in range(2)]
            found["".join("ab"[letter - 4] for letter in letters)] = np.array(sums) / len(target)
    # A penalty of 0 ranks by the probability of all; we ask for the mean of a token.
    answer = signatures.generate(source, tf.constant([15, 15]), tf.constant([0.0, 0.0]), tf.constant([3, 3]))
    for row in range(2):
        totals = {target: means[row] * (len(target) + 1) for target, means in found.items()}
        wanted = sorted(totals, key=totals.get, reverse=True)
        assert [text.decode() for text in answer["target"][row].numpy()] == wanted
        np.testing.assert_allclose(answer["score"][row], [found[target][row] for target in wanted], atol=1e-5)


def test_one_table_for_both_sides_saves_the_other():
    shared, *_ = small(share_embeddings=True)
    own, *_ = small()
    assert own.count_params() - shared.count_params() == len(LETTERS) * H


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hidden_dim": 6, "num_heads": 4}, "hidden_dim=6, num_heads=4"),
        ({"hidden_dim": 6, "num_heads": 2, "positions": "rotary"}, "must be even"),
        ({"context_length": 5}, "multiple of 2"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(values, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        TransformerSettings(**values)


def test_learns_to_copy(tmp_path):
    """By the whole way of a training, and by what it answers."""
    model = {"embedding_dim": 32, "hidden_dim": 32, "num_layers": 1, "feed_forward_dim": 64, "dropout": 0}
    training = {"epochs": 12, "learning_rate": 0.01, "batch_tokens": 256, "schedule": "cosine", "warmup_steps": 40}
    settings = run_settings("text_to_text", SIZES | model, training=training, decoding={"max_length": 8})
    train_rows, eval_rows = (
        [row | {"target": row["source"].upper()} for row in rows(count, seed)] for count, seed in ((1000, 1), (60, 2))
    )
    vocabularies = learn(train_rows, settings)
    files = [
        write_transformed(part, settings, vocabularies, tmp_path / name)
        for part, name in ((train_rows, "t"), (eval_rows, "e"))
    ]
    trained, _ = train(settings, vocabularies, files[:1], files[1:], str(tmp_path / "checkpoints"))
    signatures = TASKS["text_to_text"].code().signatures(trained, vocabularies, settings)
    answers = signatures.predict(tf.constant([row["source"] for row in eval_rows]))["target"].numpy()
    right = [answer.decode() == row["target"] for answer, row in zip(answers, eval_rows, strict=True)]
    assert np.mean(right) > 0.9


@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "rotary"])
@pytest.mark.parametrize("norm", ["before", "after"])
def test_the_first_layer_of_fresh_weights_tells_tokens_apart(positions, norm):
    """The scores of its attention would all be near 0 where embeddings came in as small as they begin."""
    plays = encoder(TransformerSettings(norm=norm, positions=positions))
    vectors = tf.random.stateless_uniform((1, 20, 128), (1, 2), -0.05, 0.05)
    plays(vectors, tf.ones((1, 20), tf.bool))
    first, places = plays.blocks[0], tf.range(20)
    read = first.around_self.read(plays.entrance(vectors, places))
    visible = real_visible(tf.ones((1, 20), tf.bool))
    attention = first.self_attention
    _, weights = attention(read, *attention.keys_and_values(read, places), visible, places)
    assert np.std(np.log(weights)) > 0.1
