"""Hidden pieces: what is drawn, what is learned, what is answered."""

import random
import types

import numpy as np
import pytest
import tensorflow as tf

from models.errors import SeqlineError
from models.input_pipeline import evaluation_batches, measure, training_batches
from models.masking_settings import MaskingSettings
from models.registry import TASKS
from models.tasks.documents import Documents, sentences_of, stretches_of
from models.tasks.masking import alone, draw_masks, draw_pair
from models.training import train
from tests.models.conftest import examples_of, learn, run_settings, write_transformed

TASK = "masked_language_modeling"
MODEL = {"architecture": "transformer", "hidden_dim": 24, "num_heads": 2, "norm": "before"}
FRUIT, METAL = ["apple", "pear", "plum", "fig"], ["iron", "zinc", "lead", "gold"]
SIZE = 1000


def stretch(*sentences: int, first: int = 10) -> Documents:
    """Sentences of so many tokens, which are numbered from `first` on."""
    return Documents(tf.range(first, first + sum(sentences)), tf.constant(sentences, tf.int32))


def seeds(count: int):
    return [tf.constant([3, number], tf.int64) for number in range(count)]


def test_a_line_is_a_sentence_and_so_is_what_ends_with_a_mark_and_a_blank():
    found = sentences_of(tf.constant(["Is it 3.5? Yes!  So (it is.) Good\nnext  line\n\n", "", "좋다.. 정말。 네"]))
    assert [[one.decode() for one in row] for row in found.to_list()] == [
        ["Is it 3.5?", "Yes!", "So (it is.)", "Good", "next  line"],
        [],
        ["좋다..", "정말。", "네"],
    ]


def test_a_document_is_read_in_stretches_of_whole_sentences():
    token_ids, lengths = stretches_of(tf.range(10), tf.constant([3, 3, 2, 2]), 6)
    assert token_ids.to_list() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]
    assert lengths.to_list() == [[3, 3], [2, 2]]


def test_half_of_the_pairs_are_successors_and_the_others_stand_elsewhere():
    own, other = stretch(2, 2, 2), stretch(3, 3, first=500)
    follows = []
    for seed in seeds(150):
        token_ids, segment_ids, label, is_pair = (value.numpy() for value in draw_pair(own, other, 9, seed))
        second = token_ids[segment_ids == 1]
        first = token_ids[(segment_ids == 0)]
        assert is_pair and first[0] == 2 and first[-1] == second[-1] == 3  # [START], [END], [END]
        # Cut behind a sentence; what stands elsewhere is no beginning of a document, and fits.
        assert first[1:-1].tolist() in ([10, 11], [10, 11, 12, 13])
        rest = [*range(first[-2] + 1, 16)] if label else [503, 504, 505]
        assert second[:-1].tolist() == rest
        follows.append(label)
    assert 0.4 < np.mean(follows) < 0.6


def test_one_sentence_is_no_pair_and_without_another_document_all_parts_follow():
    assert not draw_pair(stretch(4), stretch(3, 3), 9, seeds(1)[0]).is_pair
    pairs = [draw_pair(stretch(2, 2), stretch(), 9, seed) for seed in seeds(20)]
    assert {int(pair.follows) for pair in pairs} == {1}


def test_shares_of_what_is_hidden():
    """15 % are selected, never a special piece; of them 80 % are [MASK], 10 % any piece, 10 % stay."""
    pair = alone(Documents(tf.concat([tf.fill([100], 1), tf.range(100, 300)], 0), tf.constant([300])))
    masked, changed = [], []
    for seed in seeds(60):
        inputs, labels, weights = draw_masks(pair, MaskingSettings(), SIZE, seed)
        positions = inputs["positions"].numpy()
        assert len(positions) == 30 and (np.diff(positions) > 0).all()  # of the 200 that are not [UNK]
        assert positions.min() > 100 and positions.max() < 301
        np.testing.assert_array_equal(labels["masked"], pair.token_ids.numpy()[positions])
        untouched = np.delete(inputs["token_ids"].numpy() == pair.token_ids.numpy(), positions)
        assert untouched.all() and weights["masked"].numpy().sum() == 30
        shown = inputs["token_ids"].numpy()[positions]
        masked.append(np.mean(shown == SIZE))
        changed.append(np.mean((shown != SIZE) & (shown != labels["masked"].numpy())))
    assert np.mean(masked) == pytest.approx(0.8, abs=0.03)
    assert np.mean(changed) == pytest.approx(0.1, abs=0.03)


def test_without_pieces_nothing_is_hidden():
    inputs, labels, weights = draw_masks(alone(stretch()), MaskingSettings(), SIZE, seeds(1)[0])
    assert (inputs["positions"].numpy().tolist(), labels["masked"].numpy().tolist()) == ([0], [0])
    assert weights["masked"].numpy().tolist() == [0]


def rows_of(count: int, seed: int) -> list[dict[str, str]]:
    """Documents of two sentences, of fruit or of metals; `elsewhere` is of the others."""
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        kinds = rng.sample([FRUIT, METAL], 2)
        texts = ("\n".join(" ".join(rng.choices(kind, k=4)) for _ in range(2)) for kind in kinds)
        rows.append(dict(zip(("text", "elsewhere"), texts, strict=True)))
    return rows


def settings_of(training: dict | None = None, **masking):
    return run_settings(
        TASK,
        MODEL | {"num_layers": 2, "feed_forward_dim": 48, "embedding_dim": 24, "dropout": 0.0, "context_length": 16},
        tokenizer={"unit": "word", "max_sequence_length": 16},
        masking=masking,
        training=training or {},
    )


@pytest.fixture(scope="module", name="learned")
def _learned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masked")
    training = {"epochs": 10, "batch_size": 40, "learning_rate": 0.005, "early_stopping_patience": 0}
    settings = settings_of(training, share=0.3)
    rows = rows_of(120, 1)
    vocabularies = learn(rows, settings)
    files = [
        write_transformed(part, settings, vocabularies, folder / name)
        for name, part in (("train", rows), ("eval", rows_of(40, 2)))
    ]
    # To write a row takes longer than to learn from it again.
    model, state = train(settings, vocabularies, files[:1] * 4, files[1:], str(folder / "checkpoints"))
    return TASKS[TASK].code().signatures(model, vocabularies, settings), state, files[0]


def test_it_learns_what_stands_together_and_what_follows(learned):
    _, state, _ = learned
    # A piece of one kind out of four is guessed in a quarter of all cases, and told from the other kind.
    assert state.best_metrics["val_masked_perplexity"] < 5.5
    assert state.best_metrics["val_next_accuracy"] > 0.95


def test_holes_are_filled_with_what_stands_in_such_texts(learned):
    signatures, *_ = learned
    answer = signatures.predict(tf.constant(["pear fig [MASK] apple", "gold", "[MASK] iron  [MASK] zinc"]))
    candidates, scores = answer["candidates"].numpy(), answer["scores"].numpy()
    assert candidates.shape[:2] == scores.shape[:2] == (3, 2)
    assert {one.decode() for one in candidates[0, 0, :4]} == set(FRUIT)
    assert {one.decode() for one in candidates[2, 1, :4]} == set(METAL)
    assert set(candidates[1].ravel()) == set(candidates[0, 1]) == {b""}
    best = [[one.decode() for one in row] for row in candidates[:, :, 0]]
    assert [text.decode() for text in answer["text"].numpy()] == [
        f"pear fig {best[0][0]} apple",
        "gold",
        f"{best[2][0]} iron  {best[2][1]} zinc",
    ]


@pytest.mark.parametrize("unit", ["word", "wordpiece", "sentencepiece"])
def test_what_stands_around_a_hole_is_cut_as_in_training(unit):
    settings = run_settings(TASK, MODEL, tokenizer={"unit": unit, "vocabulary_size": 60})
    vocabularies = learn([{"text": "the cat (a cat) sat. so, the cat sat", "elsewhere": ""}] * 9, settings)
    encoder = types.SimpleNamespace(embed=lambda token_ids: token_ids)
    signatures = TASKS[TASK].code().signatures(encoder, vocabularies, settings)

    def seen(text: str) -> list[int]:
        return signatures.embed(tf.constant([text]))["vector"].numpy()[0].tolist()

    mask = vocabularies.tokenizer("text").vocabulary_size
    whole = seen("the cat (a cat) sat. so, the cat sat")
    [cat] = vocabularies.tokenizer("text").tokenize(tf.constant(["cat"])).to_list()[0]
    assert seen("the [MASK] (a [MASK]) sat. so, the [MASK] sat") == [mask if one == cat else one for one in whole]


def test_a_hole_beyond_what_is_read_stays(learned):
    signatures, *_ = learned
    [text] = signatures.predict(tf.constant([f"[MASK] {'fig ' * 20}[MASK]"]))["text"].numpy()
    assert not text.startswith(b"[MASK]") and text.endswith(b"[MASK]")


def test_texts_of_a_kind_have_vectors_that_are_alike(learned):
    signatures, *_ = learned
    vectors = signatures.embed(tf.constant(["pear fig apple", "plum plum fig", "gold zinc iron"]))["vector"].numpy()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.1


def test_training_draws_anew_in_each_epoch_and_validation_never(learned):
    _, _, file = learned
    settings = settings_of()
    vocabularies = learn(rows_of(120, 1), settings)
    code = TASKS[TASK].code().for_run(settings, vocabularies)
    examples = examples_of(file, settings).take(8)
    measured = measure(examples, 1)

    def drawn(batches: tf.data.Dataset) -> list[list]:
        return [sorted(map(tuple, inputs["token_ids"].numpy().tolist())) for inputs, *_ in batches]

    epochs = drawn(training_batches(code, examples, measured, 8, 8, 1).dataset.take(3))
    assert len({str(epoch) for epoch in epochs}) == 3
    assert epochs == drawn(training_batches(code, examples, measured, 8, 8, 1).dataset.take(3))
    fixed = [drawn(evaluation_batches(code, examples, 8, measured.boundaries)) for _ in range(2)]
    assert fixed[0] == fixed[1]


def test_documents_of_one_sentence_need_the_setting_off(tmp_path):
    rows = [{"text": "pear fig", "elsewhere": "gold"}] * 4
    settings = settings_of()
    vocabularies = learn(rows, settings)
    file = write_transformed(rows, settings, vocabularies, tmp_path / "rows")
    with pytest.raises(SeqlineError, match="next_sentence: false"):
        examples_of(file, settings)
    assert int(examples_of(file, settings_of(next_sentence=False)).cardinality()) == 4


def test_shares_of_more_than_one_are_refused():
    with pytest.raises(ValueError, match="1 together at most"):
        MaskingSettings(mask_share=0.9, random_share=0.2)
