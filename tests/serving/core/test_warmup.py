"""Warm-up requests run before a version is available, and a failing one keeps it out."""

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tests.serving import saved_models
from tests.serving.conftest import eventually


def write_warmup(folder, *records: bytes) -> None:
    (folder / "assets.extra").mkdir()
    with tf.io.TFRecordWriter(str(folder / "assets.extra" / "tf_serving_warmup_requests")) as writer:
        for record in records:
            writer.write(record)


def predict_record(values, signature: str = "") -> bytes:
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.model_spec.name = "whatever"
    log.predict_log.request.model_spec.signature_name = signature
    log.predict_log.request.inputs["x"].CopyFrom(tf.make_tensor_proto(values))
    return log.SerializeToString()


def test_warmup_requests_run_before_the_version_is_available(serve, base, tmp_path):
    gate = saved_models.Gate()
    folder = gate.save(tmp_path / "gate")
    write_warmup(folder, predict_record([1.0, 2.0, 3.0]), predict_record([1.0] * 5))
    saved_models.publish(folder, base, 1)
    _, stub = serve(wait=False)
    assert gate.entered.acquire(timeout=10)
    assert stub.states() == {1: "LOADING"}
    gate.open.set()
    eventually(lambda: stub.states() == {1: "AVAILABLE"})
    assert gate.rows == [3, 5]


def test_each_record_is_run_as_often_as_asked(serve, base, tmp_path):
    gate = saved_models.Gate()
    gate.open.set()
    folder = gate.save(tmp_path / "gate")
    write_warmup(folder, predict_record([1.0, 2.0]))
    saved_models.publish(folder, base, 1)
    serve(num_warmup_iterations=3)
    assert gate.rows == [2, 2, 2]


def test_warmup_can_be_switched_off(serve, base, exported):
    folder = saved_models.publish(exported / "line2", base.parent / "prepared", 1)
    write_warmup(folder, b"\xff no record")
    saved_models.publish(folder, base, 1)
    _, stub = serve(enable_model_warmup=False)
    assert stub.y(2) == [3]


def test_a_record_without_log_is_skipped(serve, base, exported):
    folder = saved_models.publish(exported / "line2", base.parent / "prepared", 1)
    write_warmup(folder, b"")
    saved_models.publish(folder, base, 1)
    _, stub = serve()
    assert stub.y(2) == [3]


@pytest.mark.parametrize(
    ("records", "code", "message"),
    [
        ([predict_record(["wrong type"])], grpc.StatusCode.INVALID_ARGUMENT, "Expects arg[0] to be float"),
        ([predict_record([1.0], "other")], grpc.StatusCode.FAILED_PRECONDITION, "Serving signature key"),
        ([b"\xff no record"], grpc.StatusCode.INVALID_ARGUMENT, "Failed to parse warmup record: "),
        (
            [predict_record([1.0])] * 1001,
            grpc.StatusCode.INVALID_ARGUMENT,
            "Number of warmup records exceeds the maximum (1000)",
        ),
        (
            [prediction_log_pb2.PredictionLog(session_run_log={}).SerializeToString()],
            grpc.StatusCode.UNIMPLEMENTED,
            "Unsupported log_type for warmup: ",
        ),
    ],
    ids=["failing request", "unknown signature", "unparsable", "too many", "session run"],
)
def test_a_failing_warmup_keeps_the_old_version_serving(serve, base, exported, records, code, message):
    saved_models.publish(exported / "line1", base, 1)
    folder = saved_models.publish(exported / "line2", base.parent / "prepared", 2)
    write_warmup(folder, *records)
    saved_models.publish(folder, base, 2)
    _, stub = serve()
    eventually(lambda: stub.states().get(2) == "END" and stub.states().get(1) == "AVAILABLE")
    failed = stub.status(version=2)[0]
    assert failed.status.error_code == code.value[0]
    assert failed.status.error_message.startswith(message)
    assert stub.y(0) == [1]


def test_a_file_that_is_no_tfrecord_says_so(serve, base, exported):
    folder = saved_models.publish(exported / "line2", base.parent / "prepared", 1)
    (folder / "assets.extra").mkdir()
    (folder / "assets.extra" / "tf_serving_warmup_requests").write_bytes(b"this is no TFRecord at all")
    saved_models.publish(folder, base, 1)
    _, stub = serve(wait=False)
    eventually(lambda: stub.states().get(1) == "END")
    (failed,) = stub.status()
    assert failed.status.error_code == grpc.StatusCode.DATA_LOSS.value[0]
    assert failed.status.error_message.endswith(". Please verify your warmup data is in TFRecord format.")
