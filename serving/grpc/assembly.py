"""Puts what the gRPC port answers together."""

from serving.core.metrics import Metrics
from serving.core.predict import Predictor
from serving.core.request_log import RequestLog
from serving.core.store import ModelStore
from serving.core.streaming.generator import Generator
from serving.front.loop import event_loop
from serving.front.streams import Streams
from serving.front.work import Work
from serving.grpc.call import Answer, StreamAnswer
from serving.grpc.generation_service import GenerationService
from serving.grpc.listener import GrpcListener
from serving.grpc.model_service import ModelService
from serving.grpc.prediction_service import PredictionService
from serving.settings import ServingSettings


def make_answers(
    store: ModelStore,
    predictor: Predictor,
    settings: ServingSettings,
    metrics: Metrics,
    request_log: RequestLog,
    listener: GrpcListener,
    generator: Generator,
) -> tuple[dict[str, Answer], dict[str, StreamAnswer], Work]:
    """What answers each method, at once and in pieces, by its path; and what models run by for them."""
    work = Work(predictor.runner, settings.max_threads, listener.places, event_loop())
    services = {
        "PredictionService": PredictionService(store, predictor, metrics, request_log, work).methods(),
        "ModelService": ModelService(store, metrics).methods(),
    }
    answers = {
        f"/tensorflow.serving.{service}/{method}": answer
        for service, methods in services.items()
        for method, answer in methods.items()
    }
    streams = Streams(generator, store, metrics, listener.places, "GRPC")
    generation = GenerationService(streams, settings.request_timeout_seconds).methods()
    return answers, {f"/seqline.serving.GenerationService/{name}": each for name, each in generation.items()}, work
