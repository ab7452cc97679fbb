"""Several models, labels and changes of the configuration, as a client of TensorFlow Serving sees them."""

import contextlib
import threading
import time

import grpc
import pytest
from google.protobuf import text_format
from tensorflow_serving.apis import model_management_pb2, predict_pb2

from tests.serving import saved_models
from tests.serving.conftest import eventually, refused

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND


def config_text(*models: dict) -> str:
    """A ModelServerConfig in text form."""
    entries = []
    for model in models:
        labels = "".join(
            f'version_labels {{ key: "{key}" value: {value} }} ' for key, value in model.get("labels", {}).items()
        )
        policy = f"model_version_policy {{ {model['policy']} }} " if "policy" in model else ""
        platform = model.get("platform", 'model_platform: "tensorflow" ')
        entries.append(f'config {{ name: "{model["name"]}" base_path: "{model["path"]}" {platform}{policy}{labels}}}')
    return f"model_config_list {{ {' '.join(entries)} }}"


def reload(stub, *models: dict, timeout: float = 15.0, metrics=(), text: str | None = None):
    request = model_management_pb2.ReloadConfigRequest(metric_names=metrics)
    text_format.Parse(config_text(*models) if text is None else text, request.config)
    return stub.model.HandleReloadConfigRequest(request, timeout=timeout)


@pytest.fixture
def two(serve, base, exported):
    """A server of model m (x / 2 + 1), and the folder of a model n (x / 2 + 2) with versions 1 and 2."""
    saved_models.publish(exported / "line1", base, 1)
    other = base.parent / "n"
    saved_models.publish(exported / "line2", other, 1)
    saved_models.publish(exported / "line3", other, 2)
    server, stub = serve()
    return server, stub, {"name": "m", "path": base}, {"name": "n", "path": other}


def test_a_new_model_answers_as_soon_as_the_reload_has(two):
    _, stub, m, n = two
    response = reload(stub, m, n)
    assert (response.status.error_code, response.status.error_message) == (0, "")
    assert stub.y(0, name="n") == [3]
    assert stub.y(0) == [1]


def test_a_model_left_out_is_unloaded_and_stays_in_the_status(two):
    _, stub, m, n = two
    reload(stub, m, n)
    reload(stub, n)
    eventually(lambda: stub.states() == {1: "END"})
    with refused(NOT_FOUND, "Servable not found for request: Latest(m)"):
        stub.predict(x=[0.0])
    assert stub.y(0, name="n") == [3]


def test_a_model_that_was_unloaded_can_come_back(two):
    _, stub, m, n = two
    reload(stub, n)
    eventually(lambda: stub.states() == {1: "END"})
    reload(stub, m, n)
    assert stub.y(0) == [1]


def test_an_empty_list_unloads_everything(two):
    _, stub, _, _ = two
    reload(stub, text="model_config_list {}")
    eventually(lambda: stub.states() == {1: "END"})


@pytest.mark.parametrize(
    ("policy", "served"), [("all {}", {1, 2}), ("latest {}", {2}), ("specific { versions: 1 }", {1})]
)
def test_the_policy_of_a_model_can_change(two, policy, served):
    _, stub, m, n = two
    reload(stub, m, n)
    reload(stub, m, n | {"policy": policy})

    def available():
        return {entry.version for entry in stub.status(name="n") if entry.state == 30}

    eventually(lambda: available() == served)


def ask_by_label(stub, label: str, name: str = "n") -> int:
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.version_label = name, label
    request.inputs["x"].CopyFrom(stub.request(x=[0.0]).inputs["x"])
    return stub.prediction.Predict(request, timeout=10).model_spec.version.value


def test_labels_name_versions(two):
    _, stub, m, n = two
    reload(stub, m, n | {"policy": "all {}", "labels": {"stable": 1, "canary": 2, "newest": 2}})
    assert [ask_by_label(stub, label) for label in ("stable", "canary", "newest")] == [1, 2, 2]
    with refused(INVALID, "Unrecognized servable version label: beta"):
        ask_by_label(stub, "beta")
    with refused(INVALID, "Unrecognized servable version label: stable"):
        ask_by_label(stub, "stable", name="unknown")


def test_labels_are_replaced_as_a_whole(two):
    _, stub, m, n = two
    reload(stub, m, n | {"policy": "all {}", "labels": {"stable": 1}})
    reload(stub, m, n | {"policy": "all {}", "labels": {"canary": 2}})
    assert ask_by_label(stub, "canary") == 2
    with refused(INVALID, "Unrecognized servable version label: stable"):
        ask_by_label(stub, "stable")


NOT_AVAILABLE = "Request to assign label to version {} of model {}, which is not currently available for inference"


def test_a_label_of_a_version_that_does_not_exist_is_refused(two):
    _, stub, m, n = two
    reload(stub, m, n)
    with refused(grpc.StatusCode.FAILED_PRECONDITION, NOT_AVAILABLE.format(7, "n")):
        reload(stub, m, n | {"labels": {"stable": 7}})


def test_a_refused_change_moves_no_label_and_no_model(two):
    _, stub, m, n = two
    n = n | {"policy": "all {}"}
    reload(stub, m, n | {"labels": {"stable": 1}})
    for wrong, missing in (({"stable": 7}, 7), ({"stable": 2, "canary": 9}, 9)):
        with refused(grpc.StatusCode.FAILED_PRECONDITION, NOT_AVAILABLE.format(missing, "n")):
            reload(stub, n | {"labels": wrong})
        assert ask_by_label(stub, "stable") == 1
        assert stub.y(0) == [1], "the model that the refused change leaves out"


def test_a_label_stays_until_the_version_that_it_moves_to_answers(two):
    _, stub, m, n = two
    n = n | {"policy": "all {}"}
    reload(stub, m, n | {"labels": {"stable": 1}})
    (n["path"] / "3").mkdir()
    (n["path"] / "3" / "saved_model.pb").write_bytes(b"no model")
    with refused(grpc.StatusCode.FAILED_PRECONDITION, NOT_AVAILABLE.format(3, "n")):
        reload(stub, m, n | {"labels": {"stable": 3}})
    assert ask_by_label(stub, "stable") == 1


def test_a_new_base_path_brings_another_model_under_the_same_number(two, exported, tmp_path):
    _, stub, m, n = two
    reload(stub, m, n)
    saved_models.publish(exported / "line1", tmp_path / "other", 2)
    assert stub.y(0, name="n") != [1]
    reload(stub, m, n | {"path": tmp_path / "other"})
    eventually(lambda: stub.y(0, name="n") == [1])


def test_a_new_base_path_whose_model_cannot_be_loaded_leaves_the_old_one_and_says_so(two, tmp_path):
    server, stub, m, n = two
    reload(stub, m, n)
    before = stub.y(0, name="n")
    (tmp_path / "other" / "2").mkdir(parents=True)
    (tmp_path / "other" / "2" / "saved_model.pb").write_bytes(b"no model")
    reload(stub, m, n | {"path": tmp_path / "other"})
    eventually(lambda: "cannot be loaded" in str(server.store.summary()))
    assert stub.y(0, name="n") == before


def strict(serve, **more):
    """A server with TensorFlow Serving's own rule for labels."""
    return serve(models={"labels_after_load": False, **more})


def test_by_the_original_rule_a_label_that_comes_with_its_version_is_refused(serve, base, exported):
    saved_models.publish(exported / "line1", base, 1)
    _, stub = strict(serve)
    other = {"name": "n", "path": base}
    with refused(grpc.StatusCode.FAILED_PRECONDITION, NOT_AVAILABLE.format(1, "n")):
        reload(stub, other | {"labels": {"stable": 1}})
    assert stub.y(0) == [1], "a refused change must change nothing"
    reload(stub, other)
    reload(stub, other | {"labels": {"stable": 1}})
    assert ask_by_label(stub, "stable") == 1


def test_by_the_original_rule_a_label_moves_to_available_versions_only(serve, base, exported):
    saved_models.publish(exported / "line1", base, 1)
    _, stub = strict(serve, labels_for_unavailable_versions=True)
    m = {"name": "m", "path": base}
    reload(stub, m | {"labels": {"next": 2}})
    with refused(NOT_FOUND, "Servable not found for request: Specific(m, 2)"):
        ask_by_label(stub, "next", "m")
    reload(stub, m | {"labels": {"next": 2}})
    with refused(grpc.StatusCode.FAILED_PRECONDITION, NOT_AVAILABLE.format(3, "m")):
        reload(stub, m | {"labels": {"next": 3}})


BOTH = "ModelServerConfig::model_type (deprecated) {} ModelServerConfig::model_platform, model name is n"


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (
            [{"name": "n", "path": "/a"}, {"name": "n", "path": "/b"}],
            "Illegal to list model n multiple times in config list",
        ),
        ([{"name": "n", "path": "a"}], "Expected model n to have an absolute path or URI; got base_path()=a"),
        ([{"name": "n", "path": ""}], "Expected model n to have an absolute path or URI; got base_path()="),
        ([{"name": "n", "path": "/a", "platform": ""}], "Illegal setting neither " + BOTH.format("nor")),
        (
            [{"name": "n", "path": "/a", "platform": 'model_platform: "tensorflow" model_type: TENSORFLOW '}],
            "Illegal setting both " + BOTH.format("and"),
        ),
        (
            [{"name": "n", "path": "/a", "platform": 'model_platform: "pytorch" '}],
            "Model n requests unsupported platform pytorch",
        ),
        (
            [{"name": "m", "path": "/a", "platform": 'model_platform: "pytorch" '}],
            "Illegal to change a model's platform. For model m platform was tensorflow and new platform requested is "
            "pytorch",
        ),
    ],
)
def test_a_configuration_that_cannot_be_changes_nothing(two, models, message):
    _, stub, _, _ = two
    with refused(INVALID, message):
        reload(stub, *models)
    assert stub.y(0) == [1]


def test_a_configuration_that_is_no_list_is_refused(two):
    _, stub, _, _ = two
    expected = (
        "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported"
    )
    with refused(INVALID, expected):
        reload(stub, text="")


def test_a_model_with_request_logging_is_refused_after_it_was_applied(two):
    _, stub, m, n = two
    text = config_text(m, n).replace('name: "n"', 'name: "n" logging_config { }')
    with refused(INVALID, "No request-logger-creator provided."):
        reload(stub, text=text)
    assert stub.y(0, name="n") == [3]


def test_a_new_model_that_fails_is_told(two):
    _, stub, m, n = two
    (n["path"] / "2" / "saved_model.pb").write_bytes(b"no model")
    with refused(grpc.StatusCode.UNKNOWN) as caught:
        reload(stub, m, n | {"policy": "specific { versions: 2 }"})
    message = caught.value.details()
    assert message.startswith(
        "1 model(s) did not become available: {{{name: n version: 2} due to error: DATA_LOSS: cannot read "
    )
    assert message.endswith("}, }")
    assert stub.y(0) == [1]


def test_waiting_for_a_model_without_versions_ends_with_the_deadline_and_holds_up_nobody(two, tmp_path):
    _, stub, m, n = two
    empty = {"name": "empty", "path": tmp_path}
    started = time.monotonic()
    with refused(grpc.StatusCode.DEADLINE_EXCEEDED):
        reload(stub, m, empty, timeout=0.5)
    assert time.monotonic() - started < 3
    eventually(lambda: _succeeds(lambda: reload(stub, m, n, timeout=5)))
    assert stub.y(0, name="n") == [3]


def _succeeds(call) -> bool:
    with contextlib.suppress(grpc.RpcError):
        call()
        return True
    return False


def test_counters_tell_their_increase_during_the_call(two):
    _, stub, m, n = two
    [metric] = reload(stub, m, n, metrics=["/tensorflow/serving/request_count"]).metric
    assert (metric.name, metric.int64_value_increase) == ("/tensorflow/serving/request_count", 0)


def test_requests_go_on_while_models_come_and_go(two):
    _, stub, m, n = two
    failures, stop = [], threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                assert stub.y(0) == [1]
            except Exception as error:
                failures.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    for _ in range(3):
        reload(stub, m, n)
        reload(stub, m)
    stop.set()
    asking.join()
    assert not failures


def test_the_file_of_models_is_read_and_followed(serve, base, exported, tmp_path):
    saved_models.publish(exported / "line1", base, 1)
    saved_models.publish(exported / "line2", base, 2)
    file = tmp_path / "models.config"
    one = {"name": "m", "path": base, "policy": "specific { versions: 1 }"}
    file.write_text(config_text(one))
    _, stub = serve(models={"config_file": str(file), "config_file_poll_seconds": 0.1})
    assert stub.y(0) == [1]
    file.write_text("model_config_list { nonsense }")
    time.sleep(0.3)
    assert stub.y(0) == [1]
    file.write_text(config_text(one | {"policy": "specific { versions: 2 }"}, {"name": "n", "path": base}))
    eventually(lambda: stub.states() == {1: "END", 2: "AVAILABLE"})
    eventually(lambda: any(one.state == 30 for one in stub.status(name="n")))  # another model, another thread
    assert stub.y(0, name="n") == [2]


def test_a_file_that_is_empty_for_a_moment_is_not_followed_and_a_corrected_one_counts_at_once(
    serve, base, exported, tmp_path, caplog
):
    saved_models.publish(exported / "line1", base, 1)
    file = tmp_path / "models.config"
    good = config_text({"name": "m", "path": base})
    file.write_text(good)
    _, stub = serve(models={"config_file": str(file), "config_file_poll_seconds": 0.1})
    for broken in ("", "# nothing", good[:-4]):
        file.write_text(broken)
        time.sleep(0.4)
        assert stub.y(0) == [1], broken
    file.write_text(config_text({"name": "m", "path": base}, {"name": "n", "path": tmp_path / "nowhere"}))
    time.sleep(0.4)
    saved_models.publish(exported / "line2", tmp_path / "n", 2)
    file.write_text(config_text({"name": "m", "path": base}, {"name": "n", "path": tmp_path / "n"}))
    eventually(lambda: _succeeds(lambda: stub.y(0, name="n")), 10)
    assert stub.y(0, name="n") == [2]


def test_a_list_of_models_tells_versions_labels_and_complaints(two, tmp_path):
    server, stub, m, n = two
    reload(stub, m, n | {"policy": "all {}", "labels": {"stable": 1}})
    first, second = server.store.summary()
    assert (first.name, first.available, first.labels, first.complaints) == ("m", [1], {}, [])
    assert (second.name, second.available, second.labels) == ("n", [2, 1], {"stable": 1})


def test_comments_alone_are_a_file_of_no_models(serve, tmp_path):
    file = tmp_path / "models.config"
    file.write_text("# none yet\n")
    server, _ = serve(wait=False, models={"config_file": str(file)})
    assert server.store.summary() == []
