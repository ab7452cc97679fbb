"""Versions come and go while requests run. Driven through the whole server, as nothing less shows a lost request."""

import os
import shutil
import threading
import time

import grpc
import pytest
import tensorflow as tf

from serving.core import base_folder
from tests.serving import saved_models
from tests.serving.conftest import eventually, refused

NOT_FOUND = grpc.StatusCode.NOT_FOUND


def test_the_highest_version_is_served(serve, base, exported):
    saved_models.publish(exported / "line1", base, 9)
    saved_models.publish(exported / "line2", base, 10)
    _, stub = serve()
    response = stub.predict(x=[0.0])
    assert response.model_spec.version.value == 10
    assert stub.states() == {10: "AVAILABLE"}


def test_a_new_version_replaces_the_old_one(serve, base, exported):
    saved_models.publish(exported / "line1", base, 1)
    _, stub = serve()
    assert stub.y(0) == [1]
    saved_models.publish(exported / "line2", base, 2)
    eventually(lambda: stub.states() == {2: "AVAILABLE", 1: "END"})
    assert stub.y(0) == [2]
    with refused(NOT_FOUND, "Servable not found for request: Specific(m, 1)"):
        stub.predict(x=[0.0], version=1)


def test_no_request_fails_while_versions_change_under_load(serve, base, exported):
    saved_models.publish(exported / "line1", base, 1)
    _, stub = serve()
    swapping = threading.Event()
    swapping.set()
    answers: dict[int, set[float]] = {}
    failures: list[Exception] = []
    count = [0] * 4

    def ask(index: int) -> None:
        while swapping.is_set() and count[index] < 5000:
            count[index] += 1
            try:
                response = stub.predict(x=[0.0])
            except grpc.RpcError as error:
                failures.append(error)
                return
            version = response.model_spec.version.value
            answers.setdefault(version, set()).add(tf.make_ndarray(response.outputs["y"]).item())
            time.sleep(0.001)

    clients = [threading.Thread(target=ask, args=[index]) for index in range(len(count))]
    for client in clients:
        client.start()
    for version in range(2, 8):
        saved_models.publish(exported / f"line{(version - 1) % 3 + 1}", base, version)
        eventually(lambda v=version: stub.states().get(v) == "AVAILABLE" and stub.states().get(v - 1) == "END")
    swapping.clear()
    for client in clients:
        client.join(20)
    assert not failures
    assert sum(count) > 50
    assert set(answers) == set(range(1, 8))
    # Every answer is the one of the version that it names.
    assert answers == {version: {float((version - 1) % 3 + 1)} for version in answers}


def test_a_request_in_flight_finishes_on_the_version_it_started_on(serve, base, exported, tmp_path):
    gate = saved_models.Gate()
    saved_models.publish(gate.save(tmp_path / "gate", offset=100.0), base, 1)
    _, stub = serve()
    future = stub.prediction.Predict.future(stub.request(x=[1.0]), timeout=20)
    assert gate.entered.acquire(timeout=10)
    saved_models.publish(exported / "line2", base, 2)
    eventually(lambda: stub.states() == {2: "AVAILABLE", 1: "UNLOADING"})
    assert stub.y(0) == [2]
    assert not future.done()
    gate.open.set()
    response = future.result(10)
    assert response.model_spec.version.value == 1
    assert tf.make_ndarray(response.outputs["y"]).tolist() == [101]
    eventually(lambda: stub.states() == {2: "AVAILABLE", 1: "END"})


def test_a_broken_version_leaves_the_old_one_serving_and_shows_its_error(serve, base, exported):
    saved_models.publish(exported / "line1", base, 1)
    _, stub = serve()
    (base / "staging").mkdir()
    (base / "staging" / "saved_model.pb").write_bytes(b"no protocol buffer")
    (base / "staging").rename(base / "2")
    eventually(lambda: stub.states().get(2) == "END")
    broken, good = stub.status()
    assert broken.status.error_code == grpc.StatusCode.DATA_LOSS.value[0]
    assert "saved_model.pb" in broken.status.error_message
    assert (good.version, good.state, good.status.error_code) == (1, 30, 0)
    assert stub.y(0) == [1]


def test_a_server_that_starts_on_a_broken_newest_version_serves_the_one_before(serve, base, exported):
    saved_models.publish(exported / "line1", base, 1)
    saved_models.publish(exported / "line2", base, 2)
    broken = saved_models.publish(exported / "line3", base, 3)
    whole = (broken / "saved_model.pb").read_bytes()
    (broken / "saved_model.pb").write_bytes(b"no protocol buffer")
    _, stub = serve()
    assert stub.states() == {3: "END", 2: "AVAILABLE"}
    assert stub.y(0) == [2]
    (broken / "saved_model.pb").write_bytes(whole)
    eventually(lambda: stub.states() == {3: "AVAILABLE", 2: "END"})


def test_a_version_of_other_tags_shows_which(serve, base, exported):
    saved_models.publish(exported / "line1", base, 1)
    _, stub = serve(wait=False, saved_model_tags=("serve", "tpu"))
    eventually(lambda: stub.states().get(1) == "END")
    (entry,) = stub.status()
    assert entry.status.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert entry.status.error_message.startswith("Could not find meta graph def matching supplied tags: { serve tpu }")


def test_a_version_copied_in_the_wrong_order_is_picked_up_once_it_is_whole(serve, base, exported):
    saved_models.publish(exported / "line1", base, 1)
    # Retries alone would come too late: the change of the folder has to be noticed.
    _, stub = serve(load_retry_seconds=60, max_load_retry_seconds=60)
    (base / "2").mkdir()
    shutil.copy(exported / "line2" / "saved_model.pb", base / "2")
    eventually(lambda: stub.states().get(2) == "END")
    assert "variables" in stub.status(version=2)[0].status.error_message
    assert stub.status(version=2)[0].status.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert stub.y(0) == [1]
    shutil.copytree(exported / "line2" / "variables", base / "2" / "variables")
    eventually(lambda: stub.states() == {2: "AVAILABLE", 1: "END"})
    assert stub.y(0) == [2]
    assert all(entry.status.error_code == 0 for entry in stub.status())


def test_a_failed_version_is_tried_again_with_growing_pauses(serve, base, caplog):
    (base / "1").mkdir()
    (base / "1" / "saved_model.pb").write_bytes(b"no protocol buffer")
    serve(wait=False, load_retry_seconds=0.1, max_load_retry_seconds=0.4)

    def failures() -> list[str]:
        return [r.getMessage() for r in caplog.records if "load failed" in r.getMessage()]

    started = time.monotonic()
    eventually(lambda: len(failures()) >= 5)
    assert time.monotonic() - started > 0.1 + 0.2 + 0.4 + 0.4 - 0.05


def test_a_half_copied_version_is_not_picked_up(serve, base, exported):
    saved_models.publish(exported / "line1", base, 1)
    _, stub = serve()
    shutil.copytree(exported / "line2" / "variables", base / "2" / "variables")
    time.sleep(0.3)
    assert stub.states() == {1: "AVAILABLE"}
    shutil.copy(exported / "line2" / "saved_model.pb", base / "2")
    eventually(lambda: stub.states() == {2: "AVAILABLE", 1: "END"})


def test_deleting_the_new_version_goes_back_to_the_old_one(serve, base, exported):
    saved_models.publish(exported / "line1", base, 1)
    newest = saved_models.publish(exported / "line2", base, 2)
    _, stub = serve()
    newest.rename(base / "withdrawn")
    eventually(lambda: stub.states() == {2: "END", 1: "AVAILABLE"})
    assert stub.y(0) == [1]
    (base / "withdrawn").rename(newest)
    eventually(lambda: stub.states() == {2: "AVAILABLE", 1: "END"})


def test_a_base_folder_that_vanishes_unloads_nothing(serve, base, exported):
    saved_models.publish(exported / "line1", base, 1)
    _, stub = serve()
    base.rename(base.with_name("away"))
    time.sleep(0.3)
    assert stub.y(0) == [1]
    base.with_name("away").rename(base)
    saved_models.publish(exported / "line2", base, 2)
    eventually(lambda: stub.states() == {2: "AVAILABLE", 1: "END"})


def test_a_base_folder_that_is_empty_for_a_moment_unloads_nothing(serve, base, exported):
    folder = saved_models.publish(exported / "line1", base, 1)
    server, stub = serve(poll_seconds=0.5)
    folder.rename(base.with_name("away"))
    time.sleep(0.7)
    assert stub.y(0) == [1]
    base.with_name("away").rename(folder)
    time.sleep(1)
    assert stub.states() == {1: "AVAILABLE"}


def test_another_file_system_in_place_of_the_folder_unloads_nothing(serve, base, exported, monkeypatch):
    folder = saved_models.publish(exported / "line1", base, 1)
    server, stub = serve()
    real = base_folder.os.stat

    def elsewhere(path, **more):
        if path != base:
            return real(path, **more)
        found = list(real(path, **more))
        found[2] += 1
        return os.stat_result(found)

    monkeypatch.setattr(base_folder.os, "stat", elsewhere)
    folder.rename(base.with_name("away"))
    eventually(lambda: "a lost mount?" in str(server.store.summary()))
    time.sleep(0.5)
    assert stub.y(0) == [1]


def test_a_version_that_is_named_and_not_there_leaves_what_answers(serve, base, exported):
    folder = saved_models.publish(exported / "line1", base, 1)
    server, stub = serve(specific_versions=(1,))
    saved_models.publish(exported / "line2", base, 2)
    folder.rename(base.with_name("away"))
    eventually(lambda: "version 1 is wanted and not in" in str(server.store.summary()))
    assert stub.y(0) == [1]


def test_a_version_whose_copy_went_on_after_its_load_is_loaded_anew(serve, base, exported, tmp_path):
    saved_models.publish(exported / "line1", base, 1)
    _, stub = serve()
    assert stub.y(0) == [1]
    shutil.copytree(exported / "line2", tmp_path / "whole")
    (tmp_path / "whole" / "assets").mkdir(exist_ok=True)
    (tmp_path / "whole" / "assets" / "more.txt").write_text("the last file to arrive")
    shutil.copytree(tmp_path / "whole", base / "1", dirs_exist_ok=True)
    eventually(lambda: stub.y(0) == [2])
    assert stub.states() == {1: "AVAILABLE"}


def test_a_version_that_answers_stays_while_its_folder_cannot_be_loaded(serve, base, exported):
    folder = saved_models.publish(exported / "line1", base, 1)
    server, stub = serve()
    whole = (folder / "saved_model.pb").read_bytes()
    (folder / "saved_model.pb").write_bytes(whole[:100])
    eventually(lambda: "cannot be loaded" in str(server.store.summary()))
    assert stub.y(0) == [1]
    (folder / "saved_model.pb").write_bytes(whole)
    eventually(lambda: "cannot be loaded" not in str(server.store.summary()))
    assert stub.y(0) == [1]


def test_without_further_looks_a_base_folder_that_comes_late_is_still_found(serve, base, exported):
    base.rmdir()
    server, stub = serve(wait=False, poll_seconds=0)
    time.sleep(0.3)
    saved_models.publish(exported / "line1", base, 1)
    eventually(lambda: stub.states() == {1: "AVAILABLE"})


def test_a_complaint_ends_when_the_folder_is_again_what_was_loaded(serve, base, exported):
    folder = saved_models.publish(exported / "line1", base, 1)
    server, stub = serve()
    (folder / "saved_model.pb").rename(base.with_name("whole"))
    (folder / "saved_model.pb").write_bytes(b"no model")
    eventually(lambda: "cannot be loaded" in str(server.store.summary()))
    base.with_name("whole").replace(folder / "saved_model.pb")
    eventually(lambda: "cannot be loaded" not in str(server.store.summary()))
    assert stub.y(0) == [1]


def test_an_emptied_base_folder_unloads_everything(serve, base, exported):
    folder = saved_models.publish(exported / "line1", base, 1)
    _, stub = serve()
    folder.rename(base.with_name("away"))
    eventually(lambda: stub.states() == {1: "END"})
    with refused(NOT_FOUND, "Servable not found for request: Latest(m)"):
        stub.predict(x=[0.0])


@pytest.mark.parametrize(
    ("policy", "served"),
    [({"num_versions": 2}, {2, 3}), ({"num_versions": 0}, {1, 2, 3}), ({"specific_versions": (1, 7)}, {1})],
    ids=["two latest", "all", "specific"],
)
def test_the_policy_decides_which_versions_are_served(serve, base, exported, policy, served):
    for version in (1, 2, 3):
        saved_models.publish(exported / f"line{version}", base, version)
    _, stub = serve(**policy)
    eventually(lambda: stub.states() == dict.fromkeys(served, "AVAILABLE"))
    for version in served:
        assert stub.y(0, version=version) == [version]


def test_memory_comes_back_after_an_unload(serve, base, tmp_path):
    """Ten swaps of 40 MB: kept versions would add up to 400 MB."""

    def resident_megabytes() -> float:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * 4096 / 1e6

    weights = tf.Variable(tf.random.stateless_uniform([10_000_000], [1, 2]))

    @tf.function(input_signature=[saved_models.floats(None)])
    def heavy(x):
        return {"y": x + weights[0]}

    heavy.held = weights
    folder = saved_models.save(tmp_path / "heavy", serving_default=heavy)
    for version in range(1, 4):
        saved_models.publish(folder, base, version)
    _, stub = serve()
    before = resident_megabytes()
    for version in range(4, 14):
        shutil.rmtree(base / str(version - 3))
        saved_models.publish(folder, base, version)
        eventually(lambda v=version: stub.states().get(v) == "AVAILABLE" and stub.states().get(v - 1) == "END")
        stub.y(1)
    assert resident_megabytes() - before < 200


def break_version(folder) -> bytes:
    """Truncates a model; gives what stood there."""
    file = folder / "saved_model.pb"
    whole = file.read_bytes()
    file.write_bytes(b"no model")
    return whole


def test_by_the_original_rule_a_version_is_loading_until_its_last_retry_failed(serve, base, exported):
    saved_models.publish(exported / "line1", base, 1)
    folder = saved_models.publish(exported / "line2", base.parent / "prepared", 2)
    break_version(folder)
    _, stub = serve(models={"max_load_retries": 2})
    saved_models.publish(folder, base, 2)
    eventually(lambda: stub.states().get(2) == "LOADING")
    assert stub.status(version=2)[0].status.error_code == 0
    eventually(lambda: stub.states().get(2) == "END")
    assert stub.status(version=2)[0].status.error_message.startswith("cannot read ")
    assert stub.y(0) == [1]


def test_by_the_original_rule_a_version_given_up_is_tried_again_once_it_was_gone(serve, base, exported):
    saved_models.publish(exported / "line1", base, 1)
    _, stub = serve(models={"max_load_retries": 0})
    prepared = saved_models.publish(exported / "line2", base.parent / "prepared", 2)
    whole = break_version(prepared)
    folder = saved_models.publish(prepared, base, 2)
    eventually(lambda: stub.states().get(2) == "END")
    (folder / "saved_model.pb").write_bytes(whole)
    time.sleep(0.5)
    assert stub.states()[2] == "END"
    folder.rename(base / "away")
    time.sleep(0.3)
    (base / "away").rename(folder)
    eventually(lambda: stub.states() == {1: "END", 2: "AVAILABLE"})


def test_by_the_original_rule_a_version_without_a_model_is_tried_at_once(serve, base, exported):
    saved_models.publish(exported / "line1", base, 1)
    (base / "2").mkdir()
    _, stub = serve(models={"skip_incomplete_versions": False})
    eventually(lambda: stub.states().get(2) == "END")
    assert stub.status(version=2)[0].status.error_code == NOT_FOUND.value[0]
    assert stub.y(0) == [1]
