import itertools

import numpy as np
import tensorflow as tf

from models.input_pipeline import Measured, evaluation_batches, measure, training_batches
from models.registry import TASKS
from tests.models.architectures import test_recurrent, test_seq2seq
from tests.models.conftest import examples_of, learn, run_settings, write_transformed

TASK = TASKS["text_classification"].code()


def classification_examples(tmp_path, count=100):
    settings = run_settings("text_classification", {"architecture": "recurrent"})
    rows = test_recurrent.rows(count, 0)
    file = write_transformed(rows, settings, learn(rows, settings), tmp_path / "rows.gz")
    return examples_of(file, settings), rows


def test_target_is_shifted_behind_the_start_token(tmp_path):
    settings = run_settings("text_to_text", {"architecture": "seq2seq"})
    rows = test_seq2seq.rows(3, 0)
    vocabularies = learn(rows, settings)
    file = write_transformed(rows, settings, vocabularies, tmp_path / "rows.gz")
    inputs, labels, weights = next(examples_of(file, settings).as_numpy_iterator())
    target = vocabularies.tokenizer("target").tokenize([rows[0]["target"]]).to_list()[0]
    assert inputs["decoder_token_ids"].tolist() == [2, *target]
    assert labels.tolist() == [*target, 3]
    assert inputs["source_token_ids"][-1] == 3
    assert weights.tolist() == [1.0] * len(labels)


def test_batches_hold_sequences_of_similar_length(tmp_path):
    examples, _ = classification_examples(tmp_path)
    measured = measure(examples, 4)
    boundaries = measured.boundaries
    assert measured.num_examples == 100
    batches = training_batches(TASK, examples, measured, 8, 100, seed=1)
    lower = dict(zip(boundaries, [0, *boundaries], strict=False))
    for token_ids, _, _ in batches.dataset.take(30).as_numpy_iterator():
        lengths = (token_ids > 0).sum(axis=1)
        bucket = min(boundary for boundary in boundaries if lengths.max() <= boundary)
        assert len(token_ids) == 8
        assert lengths.min() > lower[bucket]


def test_same_seed_gives_the_same_stream_and_another_seed_another(tmp_path):
    examples, _ = classification_examples(tmp_path)
    measured = measure(examples, 2)

    def stream(seed, skip=0):
        dataset = training_batches(TASK, examples, measured, 8, 100, seed).dataset.skip(skip)
        return [batch[0].tolist() for batch in itertools.islice(dataset.as_numpy_iterator(), 20 - skip)]

    assert stream(1) == stream(1)
    assert stream(1)[5:] == stream(1, skip=5)
    assert stream(1) != stream(2)


def test_stream_depends_on_its_seed_alone(tmp_path):
    examples, _ = classification_examples(tmp_path)
    measured = measure(examples, 2)

    def first_batches(dataset):
        return [batch[0].tolist() for batch in itertools.islice(dataset.as_numpy_iterator(), 5)]

    tf.random.set_seed(0)
    dataset = training_batches(TASK, examples, measured, 8, 100, seed=3).dataset
    first = first_batches(dataset)
    assert first_batches(dataset) == first
    tf.random.set_seed(5)
    assert first_batches(training_batches(TASK, examples, measured, 8, 100, seed=3).dataset) == first


def test_epochs_differ_and_each_holds_every_example_once(tmp_path):
    examples, _ = classification_examples(tmp_path)
    batches = (
        training_batches(TASK, examples, Measured([100], 100, 1.0), 10, 100, seed=1)
        .dataset.take(20)
        .as_numpy_iterator()
    )
    seen = [tuple(token_id for token_id in row if token_id) for batch in batches for row in batch[0].tolist()]
    assert seen[:100] != seen[100:]
    assert sorted(seen[:100]) == sorted(seen[100:])


def test_evaluation_sees_every_example_once(tmp_path):
    examples, rows = classification_examples(tmp_path, 37)
    boundaries = measure(examples, 3).boundaries
    labels = [
        label
        for _, batch, _ in evaluation_batches(TASK, examples, 8, boundaries).as_numpy_iterator()
        for label in batch
    ]
    assert len(labels) == 37
    assert np.sum(labels) == sum(row["label"] == "yes" for row in rows)


def test_batches_of_so_many_positions_have_more_short_texts_than_long_ones(tmp_path):
    examples, _ = classification_examples(tmp_path)
    measured = measure(examples, 4)
    batches = training_batches(TASK, examples, measured, 8, 100, seed=1, batch_tokens=40)
    rows = {}
    for token_ids, *_ in batches.dataset.take(30).as_numpy_iterator():
        bucket = min(boundary for boundary in measured.boundaries if token_ids.shape[1] <= boundary)
        rows.setdefault(bucket, set()).add(len(token_ids))
    assert rows == {boundary: {40 // boundary} for boundary in measured.boundaries}
    lengths = [len(token_ids) for token_ids, *_ in examples.as_numpy_iterator()]
    each = [1 / (40 // min(boundary for boundary in measured.boundaries if boundary >= length)) for length in lengths]
    assert batches.steps_per_epoch == round(sum(each))
    np.testing.assert_allclose(batches.rows, 100 / sum(each))
    held_out = evaluation_batches(TASK, examples, 8, measured.boundaries, batch_tokens=3)
    assert [len(token_ids) for token_ids, *_ in held_out.as_numpy_iterator()] == [1] * 100


def test_eval_text_longer_than_any_in_training_is_kept(tmp_path):
    examples, _ = classification_examples(tmp_path, 37)
    assert sum(len(batch) for _, batch, _ in evaluation_batches(TASK, examples, 8, [4]).as_numpy_iterator()) == 37


def test_the_shuffle_keeps_to_its_memory(tmp_path):
    examples, _ = classification_examples(tmp_path)
    measured = measure(examples, 2)
    lengths = [len(token_ids) for token_ids, _, _ in examples.as_numpy_iterator()]
    # Three tensors an example: token ids of 4 bytes each, a label and a weight.
    assert measured.bytes_per_example == np.mean([4 * length + 4 + 4 + 3 * 128 for length in lengths])
    assert measured.shuffle_buffer(10.5 * measured.bytes_per_example / 2**20) == 10
    assert measured.shuffle_buffer(1e-9) == 1
    assert measured.shuffle_buffer(1e9) == 100


def test_a_small_buffer_still_gives_every_example_once_an_epoch(tmp_path):
    examples, _ = classification_examples(tmp_path)
    batches = training_batches(TASK, examples, Measured([100], 100, 1.0), 10, 7, seed=1).dataset.take(10)
    seen = sorted(tuple(i for i in row if i) for batch in batches.as_numpy_iterator() for row in batch[0].tolist())
    assert seen == sorted(tuple(token_ids.tolist()) for token_ids, _, _ in examples.as_numpy_iterator())


def test_later_passes_read_the_cache_on_disk(tmp_path):
    settings = run_settings("text_classification", {"architecture": "recurrent"})
    rows = test_recurrent.rows(20, 0)
    file = write_transformed(rows, settings, learn(rows, settings), tmp_path / "rows.gz")
    examples = examples_of(file, settings)
    first = [token_ids.tolist() for token_ids, _, _ in examples.as_numpy_iterator()]
    (tmp_path / "rows.gz").unlink()
    assert [token_ids.tolist() for token_ids, _, _ in examples.as_numpy_iterator()] == first


class Redrawn(type(TASK)):
    """Draws a number for each example of each epoch in place of its tokens."""

    def each_epoch(self, example, seed):
        token_ids, label, weight = example
        return tf.random.stateless_uniform(tf.shape(token_ids), seed, 1, 1000, tf.int32), label, weight


def test_what_is_drawn_is_drawn_anew_in_each_epoch_and_again_in_the_same_way(tmp_path):
    examples, _ = classification_examples(tmp_path, 20)
    task = Redrawn(TASKS["text_classification"])

    def epochs():
        batches = training_batches(task, examples, Measured([100], 20, 1.0), 20, 20, seed=1).dataset.take(2)
        return [np.unique(batch[0]).tolist() for batch in batches.as_numpy_iterator()]

    one, other = epochs()
    assert one != other
    assert epochs() == [one, other]
    held_out = evaluation_batches(task, examples, 20, [100])
    drawn = [batch[0].tolist() for batch in held_out.as_numpy_iterator()]
    assert drawn == [batch[0].tolist() for batch in held_out.as_numpy_iterator()]


def test_a_buffer_of_one_keeps_the_order(tmp_path):
    examples, _ = classification_examples(tmp_path, 20)
    batches = training_batches(TASK, examples, Measured([100], 20, 1.0), 5, 1, seed=1).dataset.take(8)
    seen = [[i for i in row if i] for batch in batches.as_numpy_iterator() for row in batch[0].tolist()]
    assert seen == 2 * [token_ids.tolist() for token_ids, _, _ in examples.as_numpy_iterator()]
