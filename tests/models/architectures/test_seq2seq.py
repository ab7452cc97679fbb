import keras
import numpy as np
import pydantic
import pytest
import tensorflow as tf

from models.architectures.settings.seq2seq import Seq2SeqSettings
from models.registry import TASKS
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.special import SPECIAL_TOKENS
from models.tokenizers.vocabularies import Vocabularies
from models.training import build_model, train
from tests.models.conftest import learn, run_settings, write_transformed


def rows(count: int, seed: int) -> list[dict[str, str]]:
    """The source in capitals, backwards."""
    rng = np.random.default_rng(seed)
    texts = ["".join(rng.choice(list("abcdef"), rng.integers(2, 7))) for _ in range(count)]
    return [{"source": text, "target": text[::-1].upper()} for text in texts]


def small(source_size: int = 10, target_size: int = 10, **model):
    """A translator between vocabularies of so many tokens."""
    pieces = {
        name: [*SPECIAL_TOKENS, *(chr(ord("a") + index) for index in range(size - 4))]
        for name, size in (("source", source_size), ("target", target_size))
    }
    sizes = {"architecture": "seq2seq", "embedding_dim": 4, "hidden_dim": 6}
    settings = run_settings("text_to_text", sizes | model)
    return build_model(settings, Vocabularies(TokenizerSettings(unit="character"), pieces))


@pytest.mark.parametrize("attention", ["bahdanau", "luong_dot", "gated", "none"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_source_padding_and_batch_mates_change_no_logit(attention, num_layers):
    model = small(attention=attention, num_layers=num_layers)
    alone = model({"source_token_ids": np.array([[4, 5, 3]]), "decoder_token_ids": np.array([[2, 6, 7]])})
    together = model(
        {
            "source_token_ids": np.array([[9, 9, 9, 9, 3], [4, 5, 3, 0, 0]]),
            "decoder_token_ids": np.array([[2, 8, 8, 8], [2, 6, 7, 0]]),
        }
    )
    assert alone.shape == (1, 3, 10)
    np.testing.assert_allclose(together[1, :3], alone[0], atol=1e-5)


def test_decoder_never_sees_the_future():
    model = small()
    source = np.array([[4, 5, 3]])
    one = model({"source_token_ids": source, "decoder_token_ids": np.array([[2, 6, 7, 8]])})
    other = model({"source_token_ids": source, "decoder_token_ids": np.array([[2, 6, 9, 9]])})
    np.testing.assert_allclose(one[:, :2], other[:, :2], atol=1e-6)
    assert not np.allclose(one[:, 2:], other[:, 2:])


def test_step_by_step_equals_teacher_forcing():
    model = small(num_layers=2)
    source, target = tf.constant([[4, 5, 6, 3]]), tf.constant([[2, 6, 7, 8]])
    whole = model({"source_token_ids": source, "decoder_token_ids": target})
    memory, cache = model.encode(source, 4)
    for time in range(4):
        logits, cache, _ = model.next_token(target[:, time], cache, memory)
        np.testing.assert_allclose(logits, whole[:, time], atol=1e-5)


def test_tied_embeddings_save_the_output_projection():
    tied = small(10, 50, embedding_dim=6, tie_embeddings=True)
    free = small(10, 50, embedding_dim=6)
    example = {"source_token_ids": np.array([[4]]), "decoder_token_ids": np.array([[2]])}
    assert tied(example).shape == free(example).shape
    assert free.count_params() - tied.count_params() == 50 * 6 + 50


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hidden_dim": 5}, "hidden_dim must be even"),
        ({"tie_embeddings": True, "embedding_dim": 4, "hidden_dim": 6}, "embedding_dim=4, hidden_dim=6"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(values, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        Seq2SeqSettings(**values)


def test_learns_to_reverse(tmp_path):
    """By the whole way of a training, and by what it answers."""
    model = {
        "architecture": "seq2seq",
        "attention": "luong_general",
        "embedding_dim": 16,
        "hidden_dim": 48,
        "dropout": 0,
    }
    training = {"epochs": 14, "learning_rate": 0.01, "batch_size": 32, "schedule": "cosine"}
    settings = run_settings("text_to_text", model, training=training, decoding={"max_length": 8})
    train_rows, eval_rows = rows(1500, 1), rows(60, 2)
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


@pytest.mark.parametrize(
    "model",
    [
        {"attention": "bahdanau"},
        {"attention": "luong_dot", "input_feeding": False, "cell": "gru"},
        {"attention": "luong_concat", "variational_dropout": True, "dropout": 0.1},
        {"attention": "gated", "layer_normalization": True},
        {"architecture": "gnmt", "num_layers": 3},
    ],
    ids=lambda model: next(iter(model.values())),
)
def test_learns_to_copy(model):
    """Each way to attend, on the tokens of teacher forcing: the next letter stands in the source alone."""
    keras.utils.set_random_seed(1)
    translator = small(**{"embedding_dim": 16, "hidden_dim": 32, "dropout": 0.0} | model)
    rng = np.random.default_rng(1)
    letters = rng.integers(4, 10, (768, 4))
    ends, starts = np.full((768, 1), 3), np.full((768, 1), 2)
    inputs = {
        "source_token_ids": np.concatenate([letters, ends], 1),
        "decoder_token_ids": np.concatenate([starts, letters], 1),
    }
    code = TASKS["text_to_text"].code()
    arguments = code.compile_arguments(run_settings("text_to_text", {"architecture": "seq2seq"}))
    optimizer = keras.optimizers.Adam(0.01, global_clipnorm=1.0)
    translator.compile(optimizer=optimizer, jit_compile=False, **arguments)
    accuracy = translator.fit(inputs, inputs["source_token_ids"], 32, 12, verbose=0).history["token_accuracy"]
    assert accuracy[0] < 0.6 and accuracy[-1] > 0.95
