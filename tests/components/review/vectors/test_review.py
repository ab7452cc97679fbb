"""The review of word vectors, on a real model with vectors set by hand."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.errors import EvaluationError
from components.review.page import render_page
from components.review.result import Share
from components.review.settings import VectorReviewSettings
from components.review.vectors.questions import Question, read_questions
from components.review.vectors.review import review
from models.export import export
from models.run_settings import RunSettings
from models.tokenizers.vocabularies import Vocabularies, counts_of, learn_vocabulary
from models.training import build_model

# Two directions: whose, and of which kind.
PLACES = {
    "man": (1, 0, 1),
    "woman": (-1, 0, 1),
    "king": (1, 1, 1),
    "queen": (-1, 1, 1),
    "boy": (1, -1, 1),
    "girl": (-1, -1, 1),
    "<b>": (0, 0, -1),
}
QUESTIONS = """\
: royal
Man King woman queen
man king woman girl

: young
man boy woman girl
man boy pope girl
: none
x y z w
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows the places, held-out texts, questions."""
    folder = tmp_path_factory.mktemp("place")
    settings = RunSettings.model_validate(
        {
            "name": "words",
            "task": "word_embedding",
            "tokenizer": {"unit": "word", "lowercase": True},
            "model": {"architecture": "skip_gram", "embedding_dim": 3},
        }
    )
    counts = {f"▁{word}": 9 - number for number, word in enumerate(PLACES)}
    pieces = learn_vocabulary(counts, settings.tokenizer)
    vocabularies = Vocabularies(settings.tokenizer, {"text": pieces}, {}, {"text": counts_of(pieces, counts)})
    model = build_model(settings, vocabularies)
    vectors = np.array([(0, 0, 0), *PLACES.values()], np.float32)
    model.get_layer("word_vectors").vectors.embeddings.assign(vectors)
    export(model, settings, vocabularies, str(folder / "model"), {})
    (folder / "held_out").mkdir()
    with tf.io.TFRecordWriter(str(folder / "held_out" / "a.gz"), "GZIP") as writer:
        for text in ("queen king", "king man woman Boy pope", "king queen", ""):
            example = tf.train.Example()
            example.features.feature["text"].bytes_list.value.append(text.encode())
            writer.write(example.SerializeToString())
    (folder / "questions.txt").write_text(QUESTIONS)
    return folder


def run(place: Path, **settings):
    given = VectorReviewSettings(**{"analogies": str(place / "questions.txt"), "neighbors": 2} | settings)
    return review(place / "model", place / "held_out", given, None, lambda done, total: None)


def test_analogies_are_counted_by_group_and_unknown_words_leave_a_question_out(place):
    result = run(place)
    assert result.shares == {
        "royal": {
            "3CosAdd": Share(right=1, judged=2),
            "3CosMul": Share(right=1, judged=2),
            "covered": Share(right=2, judged=2),
        },
        "young": {
            "3CosAdd": Share(right=1, judged=1),
            "3CosMul": Share(right=1, judged=1),
            "covered": Share(right=1, judged=2),
        },
        "none": {
            "3CosAdd": Share(right=0, judged=0),
            "3CosMul": Share(right=0, judged=0),
            "covered": Share(right=0, judged=1),
        },
    }
    assert result.metrics == {
        "analogy_accuracy": 2 / 3,
        "analogy_accuracy_multiplicative": 2 / 3,
        "analogy_coverage": 3 / 5,
    }


@pytest.mark.parametrize(("least", "passes"), [(0.66, True), (0.67, False)])
def test_a_model_below_the_bound_falls_short(place, least, passes):
    assert (run(place, min_analogy_accuracy=least, map_words=0).shortfalls == []) == passes


def test_the_frequent_words_of_the_held_out_texts_are_mapped_and_have_neighbours(place):
    result = run(place, shown_words=2)
    maps = [sample for sample in result.samples if sample.media]
    assert [sample.title for sample in maps] == ["PCA, 5 frequent words", "t-SNE, 5 frequent words"]
    assert maps[0].media[0].text == "PCA map of 5 words, such as king, queen, boy, man, woman"
    near = [sample for sample in result.samples if not sample.media]
    assert [sample.title for sample in near] == ["king", "queen"]
    assert list(near[0].facts) == ["man", "queen"] or list(near[0].facts) == ["man", "boy"]
    assert next(iter(near[0].facts.values())) == pytest.approx(2 / np.sqrt(6), abs=1e-3)


def test_the_page_has_maps_neighbours_and_groups(place):
    page = render_page(run(place))
    assert page.count("data:image/svg+xml") == 2
    for text in ("67 %", "60 %", "royal", "1 of 2 (50 %)", "Neighbours of frequent words"):
        assert text in page


def test_without_questions_or_words_it_says_so(place, tmp_path):
    result = run(place, analogies="")
    assert result.metrics == {} and "No analogies were asked" in render_page(result)
    (tmp_path / "none").mkdir()
    settings = VectorReviewSettings()
    empty = review(place / "model", tmp_path / "none", settings, None, lambda done, total: None)
    assert empty.notes == ["no map: only 0 known words in the held-out texts"] and empty.samples == []
    render_page(empty)


def test_questions_are_read_with_their_groups(tmp_path):
    (tmp_path / "q").write_text("a b c d\n: two words\ne f g h\n")
    assert list(read_questions(str(tmp_path / "q"))) == [
        Question("", "a", "b", "c", "d"),
        Question("two words", "e", "f", "g", "h"),
    ]


def test_a_wrong_line_is_named(tmp_path):
    (tmp_path / "q").write_text(": a\na b c\n")
    with pytest.raises(EvaluationError, match="line 2: 'a b c'"):
        list(read_questions(str(tmp_path / "q")))
    with pytest.raises(EvaluationError, match="cannot be read"):
        list(read_questions(str(tmp_path / "missing")))
