import itertools

import numpy as np
import tensorflow as tf

from models.input_pipeline import bucket_boundaries, evaluation_batches, read_examples, training_batches
from tests.models.architectures import test_recurrent, test_seq2seq
from tests.models.conftest import learn, run_settings, write_transformed


def classification_examples(tmp_path, count=100):
    settings = run_settings("text_classification", {"architecture": "recurrent"})
    rows = test_recurrent.rows(count, 0)
    file = write_transformed(rows, settings, learn(rows, settings), tmp_path / "rows.gz")
    return read_examples([file], settings), rows


def test_target_is_shifted_behind_the_start_token(tmp_path):
    settings = run_settings("text_to_text", {"architecture": "seq2seq"})
    rows = test_seq2seq.rows(3, 0)
    vocabularies = learn(rows, settings)
    file = write_transformed(rows, settings, vocabularies, tmp_path / "rows.gz")
    inputs, right, weights = next(read_examples([file], settings).as_numpy_iterator())
    target = vocabularies.tokenizer("target").tokenize([rows[0]["target"]]).to_list()[0]
    assert inputs["decoder_token_ids"].tolist() == [2, *target]
    assert right.tolist() == [*target, 3]
    assert inputs["source_token_ids"][-1] == 3
    assert weights.tolist() == [1.0] * len(right)


def test_batches_hold_sequences_of_similar_length(tmp_path):
    examples, _ = classification_examples(tmp_path)
    boundaries, count = bucket_boundaries(examples, 4)
    assert count == 100
    batches = training_batches(examples, 8, boundaries, count, seed=1)
    lower = dict(zip(boundaries, [0, *boundaries], strict=False))
    for token_ids, _, _ in batches.dataset.take(30).as_numpy_iterator():
        lengths = (token_ids > 0).sum(axis=1)
        bucket = min(boundary for boundary in boundaries if lengths.max() <= boundary)
        assert len(token_ids) == 8
        assert lengths.min() > lower[bucket]


def test_same_seed_gives_the_same_stream_and_another_seed_another(tmp_path):
    examples, _ = classification_examples(tmp_path)
    boundaries, count = bucket_boundaries(examples, 2)

    def stream(seed, skip=0):
        dataset = training_batches(examples, 8, boundaries, count, seed).dataset.skip(skip)
        return [batch[0].tolist() for batch in itertools.islice(dataset.as_numpy_iterator(), 20 - skip)]

    assert stream(1) == stream(1)
    assert stream(1)[5:] == stream(1, skip=5)
    assert stream(1) != stream(2)


def test_stream_depends_on_its_seed_alone(tmp_path):
    examples, _ = classification_examples(tmp_path)
    boundaries, count = bucket_boundaries(examples, 2)

    def first_batches(dataset):
        return [batch[0].tolist() for batch in itertools.islice(dataset.as_numpy_iterator(), 5)]

    tf.random.set_seed(0)
    dataset = training_batches(examples, 8, boundaries, count, seed=3).dataset
    first = first_batches(dataset)
    assert first_batches(dataset) == first
    tf.random.set_seed(5)
    assert first_batches(training_batches(examples, 8, boundaries, count, seed=3).dataset) == first


def test_epochs_differ_and_each_holds_every_example_once(tmp_path):
    examples, _ = classification_examples(tmp_path)
    batches = training_batches(examples, 10, [100], 100, seed=1).dataset.take(20).as_numpy_iterator()
    seen = [tuple(token_id for token_id in row if token_id) for batch in batches for row in batch[0].tolist()]
    assert seen[:100] != seen[100:]
    assert sorted(seen[:100]) == sorted(seen[100:])


def test_evaluation_sees_every_example_once(tmp_path):
    examples, rows = classification_examples(tmp_path, 37)
    boundaries, _ = bucket_boundaries(examples, 3)
    labels = [
        label for _, batch, _ in evaluation_batches(examples, 8, boundaries).as_numpy_iterator() for label in batch
    ]
    assert len(labels) == 37
    assert np.sum(labels) == sum(row["label"] == "yes" for row in rows)


def test_eval_text_longer_than_any_in_training_is_kept(tmp_path):
    examples, _ = classification_examples(tmp_path, 37)
    assert sum(len(batch) for _, batch, _ in evaluation_batches(examples, 8, [4]).as_numpy_iterator()) == 37
