"""The request log: samples that can be replayed as warm-up requests."""

import shutil

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving.core.metrics import Metrics
from serving.core.request_log import RequestLog
from serving.settings import RequestLogSettings
from tests.serving import saved_models
from tests.serving.conftest import eventually


def read(folder) -> list[prediction_log_pb2.PredictionLog]:
    files = sorted(str(path) for path in folder.glob("*.tfrecord"))
    return [prediction_log_pb2.PredictionLog.FromString(raw.numpy()) for raw in tf.data.TFRecordDataset(files)]


def log_one(log: RequestLog, name: str = "m", text: str = "x") -> None:
    made = prediction_log_pb2.PredictionLog()
    made.predict_log.request.model_spec.name = text
    log.offer(name, lambda: made)


def test_requests_and_answers_are_kept(serve, base, exported, tmp_path):
    saved_models.publish(exported / "line2", base, 1)
    server, stub = serve(request_log={"folder": str(tmp_path / "log"), "sampling_rate": 1.0})
    stub.y(1)
    stub.y(2, 4)
    server.stop()
    logs = read(tmp_path / "log" / "m")
    asked = [tf.make_ndarray(log.predict_log.request.inputs["x"]).tolist() for log in logs]
    answered = [tf.make_ndarray(log.predict_log.response.outputs["y"]).tolist() for log in logs]
    assert (asked, answered) == ([[1], [2, 4]], [[2.5], [3, 4]])
    assert logs[0].log_metadata.sampling_config.sampling_rate == 1.0
    assert logs[0].log_metadata.timestamp_secs > 1_700_000_000


def test_a_log_serves_as_warm_up_file(serve, base, exported, tmp_path):
    saved_models.publish(exported / "line2", base, 1)
    server, stub = serve(request_log={"folder": str(tmp_path / "log"), "sampling_rate": 1.0})
    stub.y(1)
    server.stop()
    version = saved_models.publish(exported / "line2", base, 2)
    (version / "assets.extra").mkdir(exist_ok=True)
    (log,) = (tmp_path / "log" / "m").glob("*.tfrecord")
    shutil.copy(log, version / "assets.extra" / "tf_serving_warmup_requests")
    server, stub = serve()
    assert stub.y(1) == [2.5]
    assert 'model_warmup_records_read{model_path="' + str(version) + '",status="OK"} 1' in server.metrics.render()


def test_the_share_that_is_kept_is_the_sampling_rate(tmp_path):
    log = RequestLog(RequestLogSettings(folder=str(tmp_path), sampling_rate=0.25), Metrics())
    for _ in range(400):
        log_one(log)
    log.close()
    # 400 draws at 1/4: 100, and in all but one of a million cases within five standard deviations of 8.7.
    assert 57 <= len(read(tmp_path / "m")) <= 143


def test_without_a_folder_nothing_is_made(tmp_path):
    log = RequestLog(RequestLogSettings(sampling_rate=1.0), Metrics())
    log.offer("m", lambda: 1 / 0)
    log.close()


def test_a_full_file_is_followed_by_the_next_and_the_oldest_goes(tmp_path):
    settings = RequestLogSettings(folder=str(tmp_path), sampling_rate=1.0, max_file_bytes=1024, max_files=2)
    log = RequestLog(settings, Metrics())
    for index in range(10):
        log_one(log, text=f"{index}" * 600)
    log.close()
    # Two records of more than 600 bytes fill a file of 1024; the two files that stay hold the last four.
    assert [one.predict_log.request.model_spec.name[0] for one in read(tmp_path / "m")] == ["6", "7", "8", "9"]
    assert not list(tmp_path.rglob("*.partial"))


def test_a_name_with_slashes_stays_inside_the_folder(tmp_path):
    log = RequestLog(RequestLogSettings(folder=str(tmp_path / "log"), sampling_rate=1.0), Metrics())
    log_one(log, name="../../out")
    log.close()
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
    assert len(list((tmp_path / "log").rglob("*.tfrecord"))) == 1


def test_a_folder_that_cannot_be_written_fails_no_request(serve, base, exported, tmp_path):
    (tmp_path / "log").write_text("a file in the way")
    saved_models.publish(exported / "line2", base, 1)
    server, stub = serve(request_log={"folder": str(tmp_path / "log"), "sampling_rate": 1.0})
    assert stub.y(1) == [2.5]
    eventually(lambda: 'request_log_count{model_name="m",status_code="OK"} 1' in server.metrics.render())
    assert stub.y(1) == [2.5]
