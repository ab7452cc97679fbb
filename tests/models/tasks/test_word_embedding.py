"""Vectors of words: what is trained on, what is learned, what is answered."""

import random
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from models.errors import SeqlineError
from models.registry import TASKS
from models.tasks.word_embedding import FEATURE
from models.training import build_model, train
from models.words.files import read_vectors
from models.words.vocabulary import Words
from tests.models.conftest import examples_of, learn, run_settings, write_transformed

ARCHITECTURES = ["skip_gram", "cbow"]
FRUIT, METAL = ["apple", "pear", "plum", "fig"], ["iron", "zinc", "lead", "gold"]


def settings_of(architecture: str = "skip_gram", training: dict | None = None, **model):
    sizes = {"architecture": architecture, "embedding_dim": 8, "window": 2, "subsampling": 0}
    tokenizer = {"unit": "word", "lowercase": True}
    return run_settings("word_embedding", sizes | model, tokenizer=tokenizer, training=training or {})


def clusters(count: int = 300) -> list[dict[str, str]]:
    """Texts of fruit and texts of metals."""
    rng = random.Random(1)
    return [{"text": " ".join(rng.choices(rng.choice([FRUIT, METAL]), k=6))} for _ in range(count)]


def words_of(rows, settings) -> Words:
    return Words.of(learn(rows, settings), FEATURE)


@pytest.fixture(scope="module", params=ARCHITECTURES, name="learned")
def _learned(request, tmp_path_factory):
    """Signatures of a model that was trained on two clusters of words."""
    folder = tmp_path_factory.mktemp("clusters")
    training = {
        "epochs": 60,
        "batch_size": 1,
        "learning_rate": 0.05,
        "optimizer": "lazy_adam",
        "early_stopping_patience": 0,
    }
    settings, rows = settings_of(request.param, training), clusters()
    vocabularies = learn(rows, settings)
    file = write_transformed(rows, settings, vocabularies, folder / "rows")
    model, _ = train(settings, vocabularies, [file], [file], str(folder / "checkpoints"))
    code = TASKS["word_embedding"].code()
    return code, model, vocabularies, code.signatures(model, vocabularies, settings)


def texts(values) -> list:
    return [[word.decode() for word in row] for row in values.numpy()]


def test_words_of_the_same_texts_become_neighbours(learned):
    answer = learned[-1].neighbors(tf.constant(FRUIT + METAL), tf.constant([3] * 8))
    for word, found in zip(FRUIT + METAL, texts(answer["words"]), strict=True):
        cluster = FRUIT if word in FRUIT else METAL
        assert sorted(found) == sorted({*cluster} - {word})
    similar = learned[-1].similarity(tf.constant(["pear", "pear"]), tf.constant(["plum", "zinc"]))["score"].numpy()
    assert similar[0] > similar[1] + 0.3


def test_a_text_has_the_neighbours_of_its_words_together(learned):
    [found] = texts(learned[-1].neighbors(tf.constant(["Apple, Pear"]), tf.constant([2]))["words"])
    assert sorted(found) == ["fig", "plum"]


def test_an_unknown_word_is_named_and_not_answered(learned):
    signatures = learned[-1]
    answer = signatures.neighbors(tf.constant(["mauve", "mauve iron", ""]), tf.constant([2, 2, 2]))
    assert [word.decode() for word in answer["unknown"].numpy()] == ["mauve", "mauve", ""]
    assert texts(answer["words"])[0] == texts(answer["words"])[2] == ["", ""]
    assert texts(answer["words"])[1][0] in METAL
    embedded = signatures.embed(tf.constant(["iron mauve"]))
    assert texts(embedded["words"]) == [["iron", "mauve"]] and embedded["known"].numpy().tolist() == [[1, 0]]
    assert np.abs(embedded["vectors"][0, 0]).sum() > 0 and np.abs(embedded["vectors"][0, 1]).sum() == 0
    similar = signatures.similarity(tf.constant(["mauve"]), tf.constant(["iron"]))
    assert similar["score"].numpy().tolist() == [0] and similar["unknown"].numpy().tolist() == [b"mauve"]
    asked = [tf.constant([word, word]) for word in ("iron", "mauve", "fig puce")]
    analogy = signatures.analogy(*asked, tf.constant([2, 2]), tf.constant([0, 1]))
    assert analogy["unknown"].numpy().tolist() == [b"mauve fig puce"] * 2
    assert not any(map(any, texts(analogy["words"])))


def test_an_analogy_leaves_out_what_was_given(learned):
    asked = [tf.constant([word] * 2) for word in ("apple", "pear", "iron")]
    answer = learned[-1].analogy(*asked, tf.constant([5, 5]), tf.constant([0, 1]))
    for found in texts(answer["words"]):
        assert len(found) == 5 and not {"apple", "pear", "iron"} & set(found)
    assert not np.allclose(answer["score"][0], answer["score"][1]), "the two methods score differently"


def test_each_request_gets_as_many_answers_as_it_wants(learned):
    answer = learned[-1].neighbors(tf.constant(["fig", "fig", "fig"]), tf.constant([1, 3, 0]))
    assert [sum(map(bool, row)) for row in texts(answer["words"])] == [1, 3, 1]


def test_the_loss_is_lower_where_words_stand_as_they_did(learned):
    def loss(text: str) -> float:
        example = tf.train.Example()
        example.features.feature["text"].bytes_list.value.append(text.encode())
        answer = learned[-1].examples(tf.constant([example.SerializeToString()]))
        assert (answer["num_words"].numpy(), answer["num_known"].numpy()) == ([5], [4])
        return float(answer["loss"][0] / answer["num_predictions"][0])

    assert loss("apple fig pear plum mauve") < loss("apple iron pear zinc mauve") - 0.3


def test_the_files_hold_what_the_model_knows(learned, tmp_path):
    code, model, vocabularies, signatures = learned
    files = code.leave(model, vocabularies, tmp_path)
    assert {file.name for file in files} == {
        "word2vec.txt",
        "word2vec.bin",
        "vectors.tsv",
        "metadata.tsv",
        "projector_config.pbtxt",
    }
    for name in ("word2vec.txt", "word2vec.bin"):
        vectors = dict(read_vectors(tmp_path / name))
        assert set(vectors) == {*FRUIT, *METAL}
        np.testing.assert_allclose(vectors["gold"], signatures.embed(tf.constant(["gold"]))["vectors"][0, 0], rtol=1e-6)


def test_a_word_behind_a_space_and_behind_a_mark_is_one_word():
    rows = [{"text": 'a "king" met the king'}, {"text": "king"}]
    words = words_of(rows, settings_of())
    assert words.names.count("king") == 1
    assert words.counts[words.names.index("king")] == 3
    ids = words.ids(tf.constant(["king", '"', "queen"])).numpy()
    assert words.names[ids[0] - 1] == "king" and words.names[ids[1] - 1] == '"' and ids[2] == 0


def test_texts_are_laid_end_to_end_in_rows_and_known_apart(tmp_path):
    settings, rows = settings_of(), clusters(200)
    vocabularies = learn(rows, settings)
    found = list(examples_of(write_transformed(rows, settings, vocabularies, tmp_path / "rows"), settings))
    assert [len(inputs["word_ids"]) for inputs, _, _ in found] == [1024, 176]
    names = Words.of(vocabularies, FEATURE).names
    laid = [names[number - 1] for inputs, _, _ in found for number in inputs["word_ids"].numpy()]
    assert laid == " ".join(row["text"] for row in rows).split()
    assert Counter(found[0][0]["text_ids"].numpy().tolist()) == dict.fromkeys(range(170), 6) | {170: 4}


def test_windows_and_left_out_words_are_drawn_anew_and_alike_for_the_same_seed(tmp_path):
    settings, rows = settings_of(subsampling=0.01), clusters(200)
    vocabularies = learn(rows, settings)
    code = TASKS["word_embedding"].code().for_run(settings, vocabularies)
    example = next(iter(examples_of(write_transformed(rows, settings, vocabularies, tmp_path / "rows"), settings)))
    first, again, other = (
        {
            name: value.numpy().tolist()
            for name, value in code.each_epoch(example, tf.constant(seed, tf.int64))[0].items()
        }
        for seed in ([1, 1], [1, 1], [2, 1])
    )
    assert first == again
    assert all(first[name] != other[name] for name in first)
    # All eight words are about as frequent: f = 1/8, kept with sqrt(0.01 * 8).
    assert len(first["word_ids"]) == pytest.approx(1024 * 0.28, abs=60)
    assert set(first["radii"]) == {1, 2}


def test_without_a_frequent_word_there_is_nothing_to_learn():
    settings = settings_of()
    settings = settings.model_copy(update={"tokenizer": settings.tokenizer.model_copy(update={"minimum_count": 99})})
    with pytest.raises(SeqlineError, match="minimum_count 99. Lower it"):
        build_model(settings, learn([{"text": "a b"}], settings))


def test_a_rare_word_leaves_no_gap():
    settings = settings_of()
    settings = settings.model_copy(update={"tokenizer": settings.tokenizer.model_copy(update={"minimum_count": 2})})
    vocabularies = learn([{"text": "a b"}, {"text": "a x b"}], settings)
    code = TASKS["word_embedding"].code()
    found = code.preprocess({"text": tf.constant([["a x b"]])}, vocabularies)["word_ids"]
    assert found.values.numpy().tolist() == [1, 2]
