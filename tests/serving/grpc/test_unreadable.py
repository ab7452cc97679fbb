"""Bytes that are no message: answered as gRPC answers them, and without a trace in memory."""

import grpc
import pytest

from tests.serving.conftest import refused

PREDICT = "/tensorflow.serving.PredictionService/Predict"


def call(stub, method: str, data: bytes):
    return stub.channel.unary_unary(method)(data, timeout=10)


@pytest.mark.parametrize("method", [PREDICT, "/tensorflow.serving.ModelService/GetModelStatus"])
def test_what_is_no_message_is_answered_in_grpcs_own_words(line, method):
    with refused(grpc.StatusCode.INTERNAL, "Exception deserializing request!"):
        call(line, method, b"\xff\xff")
    assert line.y(2) == [3]


def test_a_request_that_is_a_message_is_answered(line):
    assert call(line, PREDICT, line.request(x=[2.0]).SerializeToString())


def test_an_unknown_method_stays_unknown(line):
    with refused(grpc.StatusCode.UNIMPLEMENTED):
        call(line, "/tensorflow.serving.PredictionService/Other", b"")


def test_many_of_them_keep_no_memory(line):
    psutil = pytest.importorskip("psutil")
    process = psutil.Process()

    def send(count: int) -> None:
        for _ in range(count):
            with pytest.raises(grpc.RpcError):
                call(line, PREDICT, b"\xff\xff")

    send(300)
    before = process.memory_info().rss
    send(1500)
    # gRPC's own way keeps about 20 kB for each: 30 MB.
    assert process.memory_info().rss - before < 12_000_000
