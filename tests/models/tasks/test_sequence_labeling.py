"""Names that no training text holds are found by their characters, and every way of asking gives the same tags."""

import dataclasses
import pathlib
import random
import string

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.checkpointing import TrainingState
from models.export import export
from models.layers.heads.characters import character_reader
from models.registry import TASKS
from models.tasks.sequence_labeling import model_inputs, word_inputs, words_of
from models.tasks.signatures import Signatures
from models.training import build_model, train
from tests.models.conftest import examples_of, learn, run_settings, write_transformed

MODEL = {"architecture": "recurrent", "embedding_dim": 8, "hidden_dim": 16, "num_layers": 1, "dropout": 0.0}
TOKENIZER = {"lowercase": True, "max_sequence_length": 12}
VARIANTS = [
    {"characters": "cnn", "character_dim": 8, "character_hidden_dim": 16},
    {
        "characters": "lstm",
        "character_dim": 8,
        "character_hidden_dim": 8,
        "shape_dim": 6,
        "unknown_share": 0.2,
        "gazetteers": {"known": "known.txt"},
        "crf": False,
    },
]


def sentences(count, seed):
    """Words that are drawn anew; a capital makes a name, a capital behind it goes on, a digit in it makes a code."""
    rng = random.Random(seed)

    def word():
        return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 5)))

    rows = []
    for _ in range(count):
        tokens, tags = [], []
        for _ in range(rng.randint(2, 4)):
            kind = rng.choice(["O", "name", "code"])
            length = 1 if kind == "O" else rng.randint(1, 2)
            tokens += [
                {"O": str, "name": str.capitalize, "code": lambda text: text + "7"}[kind](word()) for _ in range(length)
            ]
            tags += ["O"] if kind == "O" else [f"B-{kind}", *[f"I-{kind}"] * (length - 1)]
            tokens, tags = [*tokens, "and"], [*tags, "O"]
        rows.append({"tokens": tokens, "tags": tags})
    return rows


def settings_of(labeling, **training):
    return run_settings("sequence_labeling", MODEL, tokenizer=TOKENIZER, labeling=labeling, training=training)


@dataclasses.dataclass(frozen=True)
class Trained:
    """A model that has learned the toy."""

    state: TrainingState
    signatures: Signatures
    folder: pathlib.Path


@pytest.fixture(scope="module", params=VARIANTS, ids=["cnn", "lstm"])
def trained(request, tmp_path_factory) -> Trained:
    folder = tmp_path_factory.mktemp("labeling")
    keras.utils.set_random_seed(7)
    settings = settings_of(request.param, epochs=6, learning_rate=0.03, batch_size=16, early_stopping_patience=0)
    splits = {"train": sentences(200, 1), "eval": sentences(40, 2)}
    vocabularies = learn(splits["train"], settings)
    if settings.labeling.gazetteers:
        vocabularies = dataclasses.replace(vocabularies, gazetteers={"known": ["nobody else", "zz7"]})
    files = [[write_transformed(rows, settings, vocabularies, folder / name)] for name, rows in splits.items()]
    model, state = train(settings, vocabularies, *files, str(folder / "checkpoints"))
    export(model, settings, vocabularies, str(folder / "model"), {"code_version": "0", "metrics": {}})
    signatures = TASKS["sequence_labeling"].code().signatures(model, vocabularies, settings)
    return Trained(state, signatures, folder / "model")


def test_it_learns_what_characters_and_shapes_tell(trained):
    metrics = trained.state.best_metrics
    assert trained.state.best_loss == -metrics["val_entity_f1"]
    assert "entity_f1" not in metrics, "it would cost a search at every step"
    assert metrics["val_entity_f1"] > 0.9
    answer = trained.signatures.predict(tf.constant(["and Nobody Else and zz7 and", "and"]))
    assert answer["tags"].numpy().tolist() == [
        [b"O", b"B-name", b"I-name", b"O", b"B-code", b"O"],
        [b"O", b"", b"", b"", b"", b""],
    ]
    assert np.all((answer["scores"].numpy() > 0) == (answer["tokens"].numpy() != b""))


def test_an_export_answers_the_same_for_texts_tokens_and_examples(trained):
    signatures = tf.saved_model.load(str(trained.folder)).signatures
    rows = [["Ann", "sings", "x7", "!"], ["b"], [], ["w"] * 15]
    texts = signatures["serving_default"](text=tf.constant([" ".join(row) for row in rows]))
    padded = tf.ragged.constant(rows, dtype=tf.string).to_tensor()
    tokens = signatures["pretokenized"](tokens=padded)
    examples = signatures["examples"](examples=tf.constant([serialized(row) for row in rows]))
    for name in ("tokens", "tags"):
        np.testing.assert_array_equal(texts[name], tokens[name])
        np.testing.assert_array_equal(texts[name], examples[name])
    np.testing.assert_allclose(texts["scores"], examples["scores"], atol=1e-5)
    assert examples["same_cut"].numpy().tolist() == [1, 1, 1, 1]
    assert texts["tokens"].shape == (4, 12), "as many as the settings allow"
    assert texts["starts"].numpy()[0, :4].tolist() == [0, 4, 10, 13]
    assert texts["ends"].numpy()[0, :5].tolist() == [3, 9, 12, 14, 0]
    for row in texts["tags"].numpy():
        for before, tag in zip([b"O", *row], row, strict=False):
            assert not tag.startswith(b"I-") or before[2:] == tag[2:]


def serialized(tokens):
    example = tf.train.Example()
    example.features.feature["tokens"].bytes_list.value.extend(token.encode() for token in tokens)
    return example.SerializeToString()


def test_the_loss_is_that_of_a_tag_whatever_the_padding(tmp_path):
    settings = settings_of(VARIANTS[0])
    rows = sentences(6, 1)
    vocabularies = learn(rows, settings)
    task = TASKS["sequence_labeling"].code()
    model = build_model(settings, vocabularies)
    model.compile(**task.compile_arguments(settings))
    file = write_transformed(rows, settings, vocabularies, tmp_path / "rows")
    examples = examples_of(file, settings)
    [together] = task.batches(examples, 6, [100]).take(1)
    alone = list(task.batches(examples, 1, [100]))
    losses = [float(model.compute_loss(x, y, model(x), weight)) for x, y, weight in alone]
    tags = [float(tf.reduce_sum(weight)) for _, _, weight in alone]
    x, y, weight = together
    assert float(model.compute_loss(x, y, model(x), weight)) == pytest.approx(
        np.average(losses, weights=tags), abs=1e-5
    )


def test_a_model_reads_no_more_characters_than_it_says():
    settings = settings_of({"characters": "cnn", "max_word_length": 3})
    vocabularies = learn(sentences(20, 1), settings)
    signatures = (
        TASKS["sequence_labeling"].code().signatures(build_model(settings, vocabularies), vocabularies, settings)
    )
    answer = signatures.predict_tokens(tf.constant([["Abcde"], ["Abcxyz"]]))
    np.testing.assert_allclose(answer["scores"][0], answer["scores"][1])


def test_every_kind_of_characters_has_a_reader():
    settings = settings_of({}).labeling
    found = {kind: character_reader(kind, 9, 0.0, settings) for kind in ("none", "cnn", "lstm")}
    assert found["none"] is None and all(isinstance(found[kind], keras.layers.Layer) for kind in ("cnn", "lstm"))


@pytest.mark.parametrize("crf", [True, False])
def test_a_penalty_on_o_finds_more_and_is_the_same_as_lower_scores(crf):
    plain, bold = ({"characters": "none", "crf": crf, "outside_penalty": penalty} for penalty in (0.0, 1.5))
    vocabularies = learn(sentences(20, 1), settings_of(plain))
    models = [build_model(settings_of(labeling), vocabularies) for labeling in (plain, bold)]
    rng = np.random.default_rng(2)
    models[0].set_weights([rng.normal(0, 0.7, weight.shape) for weight in models[0].get_weights()])
    models[1].set_weights(models[0].get_weights())
    tokens = tf.constant(rng.integers(4, 20, (8, 9)), tf.int32)
    emissions = np.array(models[0]({"word_ids": tokens}))
    np.testing.assert_allclose(models[1]({"word_ids": tokens}), emissions, atol=1e-5)
    outside = vocabularies.categories["tags"].index("O")
    emissions[:, :, outside] -= 1.5
    chosen, scores = models[1].choose({"word_ids": tokens})
    np.testing.assert_array_equal(chosen, models[0].tag_chain.best(emissions, tokens > 0))
    marginals = np.array(models[0].tag_chain.marginals(emissions, tokens > 0))
    np.testing.assert_allclose(scores, np.take_along_axis(marginals, np.array(chosen)[..., None], 2)[..., 0], atol=1e-5)
    before, _ = models[0].choose({"word_ids": tokens})
    assert np.sum(np.array(chosen) == outside) < np.sum(np.array(before) == outside)


def test_lists_of_names_reach_the_scores():
    settings = settings_of({"characters": "none", "gazetteers": {"known": "known.txt", "other": "other.txt"}})
    names = {"known": ["ann lee"], "other": ["bo"]}
    vocabularies = dataclasses.replace(learn(sentences(20, 1), settings), gazetteers=names)
    model = build_model(settings, vocabularies)
    words = words_of(vocabularies)

    def scores(*tokens):
        return model(model_inputs(word_inputs(tf.ragged.constant([tokens]), words), settings)).numpy()

    # No word of these is known by itself.
    assert np.abs(scores("Ann", "Lee", "x") - scores("Ann", "Low", "x")).max() > 1e-4
    assert np.abs(scores("Bo", "Low") - scores("Ann", "Low")).max() > 1e-4
    np.testing.assert_allclose(scores("Lee", "Ann"), scores("Ann", "Low"), atol=1e-6)
