"""What the server counts: TensorFlow Serving's metrics under its names, and more under names of our own."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from serving.core.metric_types import Counter, Gauge, Histogram, Labels, Metric
from serving.core.status_names import status_name

_LATENCY_LIMITS = [10 * 1.8**power for power in range(33)]  # microseconds
_QUEUE_LIMITS = [100 * 1.2**power for power in range(52)]  # microseconds
_SIZE_LIMITS = [2.0**power for power in range(14)]  # rows
# Names of models that are not there: the first few have series of their own, the others share one.
_MOST_STRANGERS = 16
_LONGEST_STRANGER = 100  # characters
OTHERS = "(others)"
_EXAMPLE_LIMITS = [2.0**power for power in range(15)]


@dataclass
class RequestRecord:
    """What is known of a request while it runs.

    Attributes:
        model: Name that it uses.
        version: Version that answers; empty until found.
        signature: Signature that runs; empty where none does.
    """

    model: str
    version: str = ""
    signature: str = ""


class Metrics:
    """All counts of one server."""

    def __init__(self) -> None:
        self._started = time.time()
        self._in_flight = 0
        self._lock = threading.Lock()
        self._strangers: set[str] = set()
        tf, ours = "/tensorflow/serving/", "/seqline/serving/"
        self.request_count = Counter(f"{tf}request_count", ["model_name", "status"])
        self.request_latency = Histogram(f"{tf}request_latency", ["model_name", "API", "entrypoint"], _LATENCY_LIMITS)
        self.runtime_latency = Histogram(f"{tf}runtime_latency", ["model_name", "API", "runtime"], _LATENCY_LIMITS)
        self.example_counts = Histogram(f"{tf}request_example_counts", ["model"], _EXAMPLE_LIMITS)
        self.example_count_total = Counter(f"{tf}request_example_count_total", ["model"])
        self.warmup_latency = Histogram(f"{tf}model_warmup_latency", ["model_path", "status"], _LATENCY_LIMITS)
        self.warmup_records = Counter(f"{tf}model_warmup_records_read", ["model_path", "status"])
        batching = f"{tf}batching_session/"
        self.queuing_latency = Histogram(f"{batching}queuing_latency", ["thread_pool_name"], _QUEUE_LIMITS)
        self.wrapped_run_count = Counter(f"{batching}wrapped_run_count")
        self.input_batch_size = Histogram(f"{batching}input_batch_size", [], _SIZE_LIMITS)
        self.processed_batch_size = Histogram(f"{batching}processed_batch_size", [], _SIZE_LIMITS)
        self.padding_size = Histogram(f"{batching}padding_size", ["execution_batch_size"], _SIZE_LIMITS)
        loading = "/tensorflow/cc/saved_model/"
        self.load_attempts = Counter(f"{loading}load_attempt_count", ["model_path", "status"])
        self.load_latency = Counter(f"{loading}load_latency", ["model_path"])  # microseconds
        self.load_stages = Histogram(f"{loading}load_latency_by_stage", ["model_path", "stage"], _LATENCY_LIMITS)
        self.graph_runs = Counter("/tensorflow/core/graph_runs")
        self.graph_run_micros = Counter("/tensorflow/core/graph_run_time_usecs")
        self.request_log_count = Counter(f"{tf}request_log_count", ["model_name", "status_code"])
        detailed = ["model_name", "version", "signature", "API", "entrypoint"]
        self.requests = Counter(f"{ours}request_count", [*detailed, "status"])
        self.latency = Histogram(f"{ours}request_latency", detailed, _LATENCY_LIMITS)
        self.stream_steps = Counter(f"{ours}stream_steps", ["model_name"])
        self.stream_tokens = Counter(f"{ours}stream_tokens", ["model_name"])
        self.stream_ends = Counter(f"{ours}stream_ends", ["model_name", "reason"])
        self.first_piece_latency = Histogram(f"{ours}first_piece_latency", ["model_name"], _LATENCY_LIMITS)
        self._gauges = [
            Gauge(f"{ours}requests_in_flight", [], lambda: {(): self._in_flight}),
            Gauge("process_start_time_seconds", [], lambda: {(): self._started}),
        ]

    def add_gauge(self, name: str, labels: list[str], read: Callable[[], dict[Labels, float]]) -> None:
        """Adds a number of our own that is read when the page is made."""
        self._gauges.append(Gauge(f"/seqline/serving/{name}", labels, read))

    @contextlib.contextmanager
    def request(self, model: str, api: str, entrypoint: str) -> Iterator[RequestRecord]:
        """Counts a request and, where it succeeds, its time.

        Args:
            model: Name that the request uses; empty where it names none.
            api: Predict, Classify or Regress over gRPC; the same in small letters, or nothing, over REST.
            entrypoint: GRPC or REST.

        Yields:
            What the caller fills as it finds it out.
        """
        record = RequestRecord(model)
        error: BaseException | None = None
        started = time.perf_counter()
        self._move(1)
        try:
            yield record
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._move(-1)
            self._count(record, api, entrypoint, error, 1e6 * (time.perf_counter() - started))

    def _move(self, change: int) -> None:
        with self._lock:
            self._in_flight += change

    def _count(
        self, record: RequestRecord, api: str, entrypoint: str, error: BaseException | None, micros: float
    ) -> None:
        status = status_name(error)
        model = record.model if record.version else self._stranger(record.model)
        detailed = (model, record.version, record.signature, api, entrypoint)
        self.request_count.add(model, status)
        self.requests.add(*detailed, status)
        if error is None:
            self.request_latency.observe(micros, model, api, entrypoint)
            self.latency.observe(micros, *detailed)

    def _stranger(self, model: str) -> str:
        """The label of a model that nothing was found of: its name, until clients have invented too many."""
        if model in self._strangers:
            return model
        if len(model) > _LONGEST_STRANGER or len(self._strangers) >= _MOST_STRANGERS:
            return OTHERS
        self._strangers.add(model)
        return model

    def note_run(self, model: str, api: str, started: float) -> None:
        """Counts the time that the model itself took for a request, its wait for a batch included.

        Args:
            model: Name of the model.
            api: As for `request`.
            started: When the run began, on the clock of `time.perf_counter`.
        """
        self.runtime_latency.observe(1e6 * (time.perf_counter() - started), model, api, "TF1")

    @contextlib.contextmanager
    def load(self, path: str) -> Iterator[Callable[[str], None]]:
        """Counts an attempt to load a model and, where it succeeds, its time.

        Args:
            path: Folder of the model.

        Yields:
            Notes that a stage of this name has ended; the next one begins.
        """
        started = stage_started = time.perf_counter()

        def end_stage(name: str) -> None:
            nonlocal stage_started
            now = time.perf_counter()
            self.load_stages.observe(1e6 * (now - stage_started), path, name)
            stage_started = now

        try:
            yield end_stage
        except BaseException:
            self.load_attempts.add(path, "fail")
            raise
        self.load_attempts.add(path, "success")
        self.load_latency.add(path, amount=round(1e6 * (time.perf_counter() - started)))

    @contextlib.contextmanager
    def graph_run(self) -> Iterator[None]:
        """Counts a run of a graph, and its time."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.graph_runs.add()
            self.graph_run_micros.add(amount=round(1e6 * (time.perf_counter() - started)))

    def counter(self, name: str) -> Counter | None:
        """The counter of a name as TensorFlow writes it; None where there is none."""
        counters = [metric for metric in vars(self).values() if isinstance(metric, Counter)]
        wanted = name.replace("/", ":")
        return next((counter for counter in counters if counter.name == wanted), None)

    def render(self) -> str:
        """The page of metrics, Prometheus's text form."""
        metrics: list[Metric] = [one for one in vars(self).values() if isinstance(one, Counter | Histogram)]
        return "\n".join(line for metric in [*metrics, *self._gauges] for line in metric.render()) + "\n"
