"""Held-out texts, tagged by a tiny model, as the page shows them."""

from pathlib import Path

import pytest
import tensorflow as tf

from components.review.page import render_page
from components.review.result import MarkedText
from components.review.settings import TaggedTextReviewSettings
from components.review.tagged_texts.review import review
from models.description import ModelDescription
from serving.wire.values import to_example
from tests.components.review.test_page import Page

EVIL = "<script>alert(1)</script>"
ROWS = [
    (["Ann", "sings"], ["B-name", "O"]),
    (["ann", EVIL, "Bo"], ["B-name", "O", "B-place"]),
    (["no", "name"], ["O", "O"]),
    (["Too", "long", "for", "it"], ["B-name", "O", "O", "B-x"]),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A model that takes capitals for names and reads three tokens, and a split of examples."""
    folder = tmp_path_factory.mktemp("tagged")

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def tagged(examples):
        tokens = tf.io.parse_example(examples, {"tokens": tf.io.RaggedFeature(tf.string)})["tokens"][:, :3].to_tensor()
        tags = tf.where(tf.strings.regex_full_match(tokens, "[A-Z].*"), "B-name", "O")
        return {"tags": tf.where(tokens == "", "", tags)}

    tf.saved_model.save(tf.Module(), str(folder / "model"), signatures={"examples": tagged})
    description = ModelDescription(name=f"names{EVIL}", task="sequence_labeling", architecture="a", settings={})
    description.write(folder / "model")
    (folder / "split").mkdir()
    with tf.io.TFRecordWriter(str(folder / "split" / "data.gz"), "GZIP") as writer:
        for tokens, tags in ROWS:
            writer.write(to_example({"tokens": tokens, "tags": tags}).SerializeToString())
    return folder


def made(folder: Path, **settings):
    told = []
    result = review(
        folder / "model",
        folder / "split",
        TaggedTextReviewSettings(**settings),
        None,
        lambda done, total: told.append((done, total)),
    )
    assert told[-1] == (result.facts["looked_at"],) * 2
    return result


def test_texts_with_mistakes_come_first(folder):
    result = made(folder)
    assert [(one.group, one.facts["mistakes"]) for one in result.samples] == [
        ("with mistakes", 2),
        ("with mistakes", 1),
        ("right", 0),
        ("right", 0),
    ]
    assert [one.media[0].tokens[0] for one in result.samples] == ["ann", "Too", "Ann", "no"], "names before none"
    assert result.metrics == {"texts_without_mistake": 0.5}
    answer, expected = result.samples[0].media
    assert isinstance(answer, MarkedText)
    assert (answer.tags, answer.wrong) == (["O", "O", "B-name"], [True, False, True])
    assert (expected.tags, expected.wrong) == (["B-name", "O", "B-place"], [False] * 3)
    assert result.samples[1].media[0].tags == ["B-name", "O", "O", "O"], "no answer beyond what it reads"
    assert [one.verdict for one in result.samples] == [False, False, True, True]


def test_no_more_than_asked_for_are_looked_at_and_shown(folder):
    assert len(made(folder, texts=1).samples) == 1
    assert made(folder, looked_at=3).metrics == {"texts_without_mistake": 2 / 3}
    assert TaggedTextReviewSettings(texts=1).makes_samples and not TaggedTextReviewSettings(texts=0).makes_samples


def test_the_page_says_all_in_words_and_no_token_becomes_part_of_it(folder):
    text = render_page(made(folder))
    page = Page(text)
    words = " ".join(page.text.split())
    assert page.all("script") == [] and EVIL in words
    assert f"names{EVIL}: tagged texts" in words
    assert "50 % of the texts without a mistake" in words
    assert "texts without a mistake: 2 of 4 (50 %)" in words
    assert "Model ann ✗ " in words and "Bo B-name ✗ Right answer ann B-name" in words
    assert "✗ 2 tags of 3 differ: wrong" in words and "✓ 0 tags of 2 differ: right" in words
    assert [header["scope"] for header in page.all("th")] == ["col"] * 3 + ["row"] * 2
    hues = {one["style"] for one in page.all("span") if "style" in one}
    assert len(hues) == 3 and all(hue.startswith("--hue: ") for hue in hues), "one for each type"
