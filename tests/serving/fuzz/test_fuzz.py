"""A short campaign against servers in this process; `python -m benchmarks.fuzz.run` runs a long one."""

import logging

import pytest

from serving.server import Server
from serving.settings import ServingSettings
from tests.serving.conftest import QUICK
from tests.serving.fuzz.campaign import Campaign, Target
from tests.serving.fuzz.grpc_cases import GrpcCase
from tests.serving.fuzz.models import save_models
from tests.serving.fuzz.rest_cases import RestCase
from tests.serving.fuzz.senders import Reply
from tests.serving.fuzz.verdicts import UNREADABLE, judge_grpc, judge_rest

SEED = 20
NOWHERE = Target("", 0, "", "/models/line")


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    config = save_models(folder)
    limits = {"max_message_bytes": 2**22, "max_tensor_bytes": 2**22}
    fuzzed = Server("", "", ServingSettings(**QUICK, **limits, models={"config_file": str(config)}))
    reloaded = Server("line", folder / "line", ServingSettings(**QUICK, **limits))
    with fuzzed, reloaded:
        fuzzed.wait_until_available(30)
        yield Target(fuzzed.address, fuzzed.rest_port, reloaded.address, str(folder / "line"))


def test_every_fuzzed_request_gets_a_status_of_the_contract(target, caplog):
    campaign = Campaign(target, SEED)
    with caplog.at_level(logging.ERROR, "seqline.serving"):
        campaign.run(range(3000))
    assert campaign.tally.findings == []
    assert campaign.tally.counts.total() == 3000
    assert [record for record in caplog.records if record.name.startswith("seqline")] == []
    # Else nothing but the first checks would be fuzzed.
    for api in ("gRPC Predict", "gRPC Classify", "gRPC Regress", "gRPC MultiInference"):
        assert campaign.tally.counts[api, "OK"] > 20
    for api in ("REST predict", "REST classify", "REST regress"):
        assert campaign.tally.counts[api, "200"] > 5


def test_a_seed_and_a_number_give_the_same_request_again():
    one, same, other = (
        [Campaign(NOWHERE, seed).case(number) for number in range(300)] for seed in (SEED, SEED, SEED + 1)
    )
    assert one == same
    assert one != other


GRPC = next(case for number in range(99) if isinstance(case := Campaign(NOWHERE, 1).case(number), GrpcCase))
REST = RestCase("GET", "/v1/models/line")
PAGE = "application/json"


@pytest.mark.parametrize(
    "reply",
    [
        Reply("UNKNOWN", b""),
        Reply("INTERNAL", b"Internal error; the server's log has the details"),
        Reply("UNAVAILABLE", b"Socket closed"),
        Reply("DEADLINE_EXCEEDED", b"Deadline Exceeded"),
        Reply("INVALID_ARGUMENT", b""),
        Reply("OK", b"\xff"),
        Reply("INTERNAL", UNREADABLE),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body.decode(errors='replace')[:9]}",
)
def test_an_answer_beyond_the_contract_is_found_over_grpc(reply):
    assert judge_grpc(GrpcCase("PredictionService/Predict", b"", GRPC.request), reply)


@pytest.mark.parametrize(
    "reply",
    [
        Reply("500", b'{"error": "x"}', PAGE),
        Reply("closed", b""),
        Reply("400", b"Bad Request", "text/plain"),
        Reply("404", b"", PAGE),
        Reply("404", b'{"error": ""}', PAGE),
        Reply("404", b'{"error": "x", "trace": "y"}', PAGE),
        Reply("200", b"{", PAGE),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body.decode()[:14]}",
)
def test_an_answer_beyond_the_contract_is_found_over_rest(reply):
    assert judge_rest(REST, reply)
