"""What each fault does to a version folder, and what the server makes of it."""

import pytest

from benchmarks.serving.published import FAULTS, publish_broken
from serving.server import Server
from serving.settings import ServingSettings
from tests.serving import saved_models
from tests.serving.conftest import QUICK, Stub, eventually


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    return saved_models.save_line(tmp_path_factory.mktemp("line") / "exported")


@pytest.mark.parametrize(
    ("fault", "state"), [("truncated", "END"), ("unknown op", "END"), ("wrong signature", "AVAILABLE")]
)
def test_a_broken_version_is_seen_as_what_it_is(line, tmp_path, fault, state):
    saved_models.publish(line, tmp_path / "m", 1)
    publish_broken(line, tmp_path / "m", 2, fault)
    # Between two tries a failed version is at its end, and stays there for as long as the test takes to look.
    settings = ServingSettings(**{**QUICK, "load_retry_seconds": 60, "max_load_retry_seconds": 60}, num_versions=0)
    with Server("m", tmp_path / "m", settings) as server:
        stub = Stub(server.address, "m")
        server.wait_until_available(20)
        eventually(lambda: stub.states().get(1) == "AVAILABLE")
        eventually(lambda: stub.states().get(2) == state)
        assert stub.y(2, version=1) == [3]
        stub.channel.close()


def test_every_fault_is_tried():
    assert set(FAULTS) == {"truncated", "unknown op", "wrong signature"}
