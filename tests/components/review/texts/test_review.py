"""Texts of a small language model that nobody trained, and their page."""

import keras
import pytest
import tensorflow as tf

from components.review.page import render_page
from components.review.settings import TextReviewSettings
from components.review.texts.review import review
from models.export import export
from models.training import build_model
from tests.components.review.test_page import Page
from tests.models.conftest import learn, run_settings
from tests.models.tasks.test_language_modeling import MODEL, row

EVIL = "<script>alert('x')</script>\n & so on"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model and two held-out texts."""
    folder = tmp_path_factory.mktemp("texts")
    settings = run_settings("language_modeling", MODEL, tokenizer={"unit": "character", "normalization": "none"})
    vocabularies = learn([row(EVIL), row("ab")], settings)
    keras.utils.set_random_seed(3)
    facts = {"code_version": "0", "metrics": {"val_loss": 1.5, "val_perplexity": 4.5, "loss": 1.0}}
    export(build_model(settings, vocabularies), settings, vocabularies, str(folder / "model"), facts)
    (folder / "eval").mkdir()
    with tf.io.TFRecordWriter(str(folder / "eval" / "data.gz"), "GZIP") as writer:
        for text in (EVIL, "ab"):
            example = tf.train.Example()
            for name, value in row(text).items():
                example.features.feature[name].bytes_list.value.append(value.encode())
            writer.write(example.SerializeToString())
    return folder


@pytest.fixture(scope="module")
def result(place):
    told = []
    settings = TextReviewSettings(
        per_temperature=2, temperatures=(0.0, 1.0, 2.0), prompts=("", "<script>"), max_length=20, characters=30, seed=7
    )
    result = review(place / "model", place / "eval", settings, None, lambda *progress: told.append(progress))
    assert told == [(4, 12), (8, 12), (12, 12)]
    return result


def test_each_temperature_has_texts_of_each_prompt_beside_a_held_out_one(result):
    groups = ["temperature 0", "temperature 1", "temperature 2"]
    assert list(result.shares) == groups
    assert [sample.group for sample in result.samples if not sample.held_out] == [
        group for group in groups for _ in "1234"
    ]
    assert [sample.group for sample in result.samples if sample.held_out] == groups[:2]
    assert [sample.facts["seed"] for sample in result.samples if not sample.held_out] == [7, 8, 9, 10] * 3
    assert ["".join(sample.media[0].pieces) for sample in result.samples if sample.held_out] == [
        f"{EVIL[:30]}[END]",
        "ab[END]",
    ]
    assert result.metrics == {"validation_loss": 1.5, "validation_perplexity": 4.5}
    for sample in result.samples:
        [text] = sample.media
        assert all(0 <= probability <= 1 for probability in text.probabilities)
        assert "".join(text.pieces).startswith(sample.asked.get("prompt", ""))


def test_a_text_cannot_become_part_of_the_page(result):
    page = Page(render_page(result))
    assert page.all("script") == []
    assert EVIL[:30] in page.text
    assert page.text.count("[END]") >= 2
    assert "1.5000 nats" in page.text
    assert [header["scope"] for header in page.all("th")] == ["col"] * 3 + ["row"] * 3


def test_what_is_improbable_is_coloured_and_says_how_probable_it_is(result):
    page = Page(render_page(result))
    shown = [text for sample in result.samples for text in sample.media]
    spans = [span for span in page.all("span") if "style" in span]
    assert len(spans) == sum(len(text.pieces) for text in shown)
    # Row by row as the samples come: the held-out text stands first.
    first = shown[0].probabilities[0]
    assert spans[0]["style"] == f"--surprise:{1 - first:.2f}"
    assert spans[0]["title"] == f"{100 * first:.0f} %"


def test_no_sample_is_made_where_none_is_wanted():
    assert not TextReviewSettings(per_temperature=0).makes_samples
    assert TextReviewSettings().makes_samples
