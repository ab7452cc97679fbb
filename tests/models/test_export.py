"""The exported SavedModel: equal to Keras, whole without our code, checked."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from models.errors import SeqlineError
from models.export import check_ops, export
from models.registry import TASKS
from models.training import build_model
from tests.models.architectures import test_recurrent, test_seq2seq
from tests.models.conftest import learn, run_settings


def classifier(directory, **sections):
    model = {"architecture": "recurrent", "embedding_dim": 4, "hidden_dim": 3, "dropout": 0.2}
    return exported("text_classification", model, test_recurrent.rows(50, 0), "text", directory, **sections)


def translator(directory, unit="character", **sections):
    model = {"architecture": "seq2seq", "embedding_dim": 4, "hidden_dim": 6, "dropout": 0.2}
    sections |= {"tokenizer": {"unit": unit, "vocabulary_size": 300}, "decoding": {"max_length": 5, "beam_width": 2}}
    return exported("text_to_text", model, test_seq2seq.rows(300, 0), "source", directory, **sections)


def exported(task, model, rows, feature, directory, **sections):
    settings = run_settings(task, model, **sections)
    vocabularies = learn(rows, settings)
    keras_model = build_model(settings, vocabularies)
    texts = [row[feature] for row in rows[:6]]
    export(keras_model, settings, vocabularies, str(directory), {"code_version": "0", "metrics": {}})
    signatures = TASKS[task].code().signatures(keras_model, vocabularies, settings)
    return tf.saved_model.load(str(directory)).signatures, signatures, texts


@pytest.fixture(scope="module")
def exported_classifier(tmp_path_factory):
    return classifier(tmp_path_factory.mktemp("classifier"))


@pytest.fixture(scope="module")
def translator_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("translator")


@pytest.fixture(scope="module")
def exported_translator(translator_folder):
    return translator(translator_folder, "wordpiece")


def test_classifier_answers_as_in_keras(exported_classifier):
    loaded, signatures, texts = exported_classifier
    answer = loaded["serving_default"](text=tf.constant(texts))
    in_keras = signatures.predict(tf.constant(texts))
    np.testing.assert_allclose(answer["scores"], in_keras["scores"], atol=1e-6)
    np.testing.assert_allclose(np.sum(answer["scores"], axis=1), 1, atol=1e-5)
    assert answer["label"].numpy().tolist() == in_keras["label"].numpy().tolist()
    assert answer["classes"].numpy().tolist() == [[b"no", b"yes"]] * len(texts)


def test_classifier_reads_serialized_examples(exported_classifier):
    loaded, _, texts = exported_classifier
    examples = [
        tf.train.Example(
            features=tf.train.Features(
                feature={"text": tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))}
            )
        ).SerializeToString()
        for text in texts
    ]
    plain = loaded["serving_default"](text=tf.constant(texts))["scores"]
    np.testing.assert_allclose(loaded["classify"](inputs=tf.constant(examples))["scores"], plain, atol=1e-6)
    np.testing.assert_allclose(loaded["examples"](examples=tf.constant(examples))["scores"], plain, atol=1e-6)


def test_batch_of_empty_texts_is_answered(exported_classifier, exported_translator):
    assert exported_classifier[0]["serving_default"](text=tf.constant(["", ""]))["scores"].shape == (2, 2)
    assert exported_translator[0]["serving_default"](source=tf.constant([""]))["target"].shape == (1,)


def answers_as_in_keras(exported):
    loaded, signatures, texts = exported
    answer = loaded["serving_default"](source=tf.constant(texts))
    in_keras = signatures.predict(tf.constant(texts))
    assert answer["target"].numpy().tolist() == in_keras["target"].numpy().tolist()
    np.testing.assert_allclose(answer["score"], in_keras["score"], atol=1e-5)


def test_translator_answers_as_in_keras(exported_translator):
    answers_as_in_keras(exported_translator)


@pytest.mark.parametrize("unit", ["word", "byte"])
def test_translator_of_other_units_answers_as_in_keras(tmp_path, unit):
    answers_as_in_keras(translator(tmp_path, unit))


def test_generate_takes_settings_for_every_request(exported_translator):
    loaded, _, texts = exported_translator
    answer = loaded["generate"](
        source=tf.constant(texts[:2]),
        beam_width=tf.constant([3, 1]),
        length_penalty=tf.constant([0.6, 0.6]),
        max_length=tf.constant([4, 2]),
    )
    assert answer["target"].shape == answer["score"].shape == (2, 3)
    assert answer["target"][1].numpy().tolist()[1:] == [b"", b""]


def test_attend_shows_where_each_target_piece_looks(tmp_path):
    loaded, _, _ = translator(tmp_path, "character")
    answer = loaded["attend"](source=tf.constant(["abc", "fedcba"]), target=tf.constant(["CBA", "ABCDEF"]))
    assert answer["weights"].shape == (2, 7, 7)
    np.testing.assert_allclose(np.sum(answer["weights"][0], axis=1), [1] * 4 + [0] * 3, atol=1e-5)
    assert answer["source_pieces"][0].numpy().tolist() == [b"a", b"b", b"c", b"[END]", b"", b"", b""]
    assert answer["target_pieces"][0].numpy().tolist() == [b"C", b"B", b"A", b"[END]", b"", b"", b""]
    limited = loaded["generate"](
        source=tf.constant(["abc"] * 2),
        beam_width=tf.constant([2, 1]),
        length_penalty=tf.constant([0.6, 0.6]),
        max_length=tf.constant([4, 2]),
    )
    assert max(len(target) for target in limited["target"][0].numpy()) <= 4
    assert len(limited["target"][1, 0].numpy()) <= 2


def test_loads_with_tensorflow_and_tf_text_alone(exported_translator, translator_folder, tmp_path):
    code = (
        "import sys, tensorflow as tf, tensorflow_text; sys.path = [p for p in sys.path if p]; "
        f"m = tf.saved_model.load({str(translator_folder)!r}); "
        "print(m.signatures['serving_default'](source=tf.constant(['abc']))['score'].shape); "
        "print([n for n in sys.modules if n.split('.')[0] in ('models', 'components', 'pipeline', 'serving')])"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert finished.stdout.split("\n")[:2] == ["(1,)", "[]"]


def test_seqline_json_describes_the_model(exported_translator, translator_folder):
    described = json.loads((translator_folder / "assets.extra" / "seqline.json").read_text(encoding="utf-8"))
    assert {"name", "task", "architecture", "settings", "labels", "code_version", "metrics"} <= set(described)


def test_every_input_has_a_batch_dimension(exported_translator, exported_classifier):
    for loaded, _, _ in (exported_translator, exported_classifier):
        for signature in loaded.values():
            shapes = [spec.shape for spec in signature.structured_input_signature[1].values()]
            assert shapes == [[None]] * len(shapes)


def test_signatures_that_ask_one_another_share_one_graph(tmp_path):
    """A graph for each of the three would make files, exports and loads three times as large and slow."""
    classifier(tmp_path)
    [meta_graph] = saved_model_pb2.SavedModel.FromString((tmp_path / "saved_model.pb").read_bytes()).meta_graphs
    ops = [node.op for function in meta_graph.graph_def.library.function for node in function.node_def]
    assert ops.count("Softmax") == 1


def test_python_in_the_graph_is_refused(tmp_path):
    module = tf.Module()
    module.f = tf.function(
        lambda text: tf.py_function(lambda t: t, [text], tf.string), input_signature=[tf.TensorSpec([None], tf.string)]
    )
    tf.saved_model.save(module, str(tmp_path))
    with pytest.raises(SeqlineError, match="EagerPyFunc"):
        check_ops(str(tmp_path))


def test_operation_that_a_stock_server_lacks_is_refused(tmp_path):
    import tensorflow_text as tf_text

    module = tf.Module()
    module.f = tf.function(lambda text: tf_text.utf8_binarize(text), input_signature=[tf.TensorSpec([None], tf.string)])
    tf.saved_model.save(module, str(tmp_path))
    with pytest.raises(SeqlineError, match="Utf8Binarize"):
        check_ops(str(tmp_path))


def test_bfloat16_model_answers_in_float32(tmp_path):
    loaded, _, texts = classifier(tmp_path, training={"precision": "mixed_bfloat16"})
    assert loaded["serving_default"](text=tf.constant(texts))["scores"].dtype == tf.float32
