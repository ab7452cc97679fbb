"""The embedded server: a model folder behind the TensorFlow Serving API."""

import gc
import logging
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import tensorflow as tf

from serving.core.batching import BatchRunner
from serving.core.config_files import start_error, with_files
from serving.core.config_watch import ConfigWatch
from serving.core.metrics import Metrics
from serving.core.model_config import read_config_file
from serving.core.predict import Predictor
from serving.core.request_log import RequestLog
from serving.core.store import ModelStore, ModelSummary, version_policy
from serving.core.streaming.generator import Generator
from serving.core.version_records import ModelConfig
from serving.errors import ServerStartError, ServingError
from serving.front.limits import raise_file_limit
from serving.grpc.assembly import make_answers
from serving.ports import Ports
from serving.rest.assembly import make_site
from serving.settings import ServingSettings

_log = logging.getLogger("seqline.serving")


def prepare_process() -> None:
    """Readies a process that does nothing but serve. Call it once, before the first server starts.

    TensorFlow's modules alone are 400,000 Python objects. Each full garbage collection walks through all of them and
    stops every request for up to half a second; set aside here, they are never looked at again.
    """
    raise_file_limit()
    # What TensorFlow has to say of devices it says here, rather than between the first lines of the server.
    tf.config.list_physical_devices()
    # The event loop waits so long for a thread that computes in Python.
    sys.setswitchinterval(0.001)
    gc.collect()
    gc.freeze()


class Server:
    """Serves models and follows their folders: new versions are picked up while requests go on.

    Usable as a context manager that starts and stops it.

    Attributes:
        store: The models' versions and their states.
        metrics: What it counts.
        health: Which models answer.
    """

    def __init__(
        self,
        model_name: str,
        base_path: str | Path,
        settings: ServingSettings | None = None,
        ports: Ports | None = None,
    ) -> None:
        """Prepares the server; `start` opens the ports.

        Args:
            model_name: Name that requests use.
            base_path: Folder with one folder per version, named by its number. Both give way to
                `settings.models.config_file`.
            settings: Where to listen and how to serve.
            ports: Ports of the same settings, open or not; None for new ones.

        Raises:
            ServerStartError: The file of models, keys or tokens cannot be used.
        """
        self._settings = with_files(settings or ServingSettings())
        self._name = model_name
        self._base_path = Path(base_path)
        self.metrics = Metrics()
        self._runner = BatchRunner(self._settings.batching, self.metrics, self._settings.max_threads)
        predictor = Predictor(self._settings, self._runner)
        try:
            models = self._read_models()
            self.store = ModelStore(models, self._settings, predictor, self.metrics)
        except ServingError as error:
            raise start_error(error) from error
        self._request_log = RequestLog(self._settings.request_log, self.metrics)
        self._ports = ports or Ports(self._settings, [model.name for model in models])
        self.health = self._ports.health
        parts = (self.store, predictor, self._settings, self.metrics, self._request_log)
        self._generator = Generator(self._settings, self.metrics)
        self._answers, self._streams, self._grpc_work = make_answers(*parts, self._ports.grpc, self._generator)
        self._site, self._rest_work = make_site(*parts, self._ports, self._generator)
        self._config_watch = ConfigWatch(self.store, self._settings.models)
        self._stopped = False

    @property
    def port(self) -> int:
        """TCP port of the gRPC API; 0 before `start`."""
        return self._ports.grpc_port

    @property
    def rest_port(self) -> int:
        """TCP port of the REST API; 0 before `start` and where there is none."""
        return self._ports.rest_port

    @property
    def address(self) -> str:
        """Host and port, as a client takes them."""
        return self._ports.address

    @property
    def rest_address(self) -> str:
        """Host and port of the REST API; empty where there is none."""
        return self._ports.rest_address

    def start(self) -> None:
        """Opens the ports and begins to load; returns before the models are available, unless told to wait for them.

        Raises:
            ServerStartError: A folder that is required does not exist, a port cannot be had or, where the ports open
                after the models have loaded, a model failed.
        """
        if self._settings.models.require_base_path and not self._settings.models.config_file:
            self._require_folder()
        try:
            if self._settings.models.ports_open_at_once:
                self._open_ports()
                self.store.start()
                # Not before: a store that has not begun has no models, and all of none are ready.
                self.health.follow(self.store)
            else:
                self.store.start()
                self.store.wait_until_settled(float("inf"))
                self.health.follow(self.store)
                self._open_ports()
        except ServingError as error:
            self.stop(0)
            if isinstance(error, ServerStartError):
                raise
            raise start_error(error) from error
        self._config_watch.start()
        served = ", ".join(f"{one.name} from {one.base_path}" for one in self.store.summary()) or "no model"
        rest = f", REST on {self.rest_address}" if self.rest_port else ""
        _log.info("serving %s on %s%s", served, self.address, rest)

    def _open_ports(self) -> None:
        self._ports.grpc.serve(self._answers, self._streams)
        if self._ports.rest:
            self._ports.rest.serve(self._site)
        self._ports.open()

    def _read_models(self) -> list[ModelConfig]:
        if not self._settings.models.config_file:
            return [ModelConfig(self._name, self._base_path.absolute(), version_policy(self._settings))]
        return read_config_file(self._settings.models.config_file)

    def _require_folder(self) -> None:
        if not self._base_path.is_dir():
            raise ServerStartError(
                f"the base path of model {self._name} must be an existing folder that holds one folder per version "
                f"(.../{self._name}/1/saved_model.pb); {self._base_path} is "
                f"{'a file' if self._base_path.exists() else 'not there'}. Run the pipeline to its Pusher first, or "
                "correct the path"
            )

    def wait_until_available(self, timeout: float = 60.0) -> None:
        """Waits until a version of every model answers requests.

        Args:
            timeout: Longest wait, in seconds.

        Raises:
            ServerStartError: The first load failed, or the time is over; the message says why.
        """
        deadline = time.monotonic() + timeout
        for name, model in list(self.store.models.items()):
            if model.wait_until_settled(max(0.0, deadline - time.monotonic())):
                continue
            failures = [f"version {status.number}: {status.error}" for status in model.status() if status.error]
            reasons = failures + model.complaints() or [f"still loading after {timeout:g} s"]
            raise ServerStartError(f"model {name} is not available: {'; '.join(reasons)}")

    def wait_for_news(self, timeout: float) -> list[ModelSummary]:
        """Waits until each model answers, or has something to complain of, and tells of all of them.

        Args:
            timeout: Longest wait, in seconds.

        Raises:
            ServerStartError: No model answers; the message says why.
        """
        deadline = time.monotonic() + timeout
        for model in list(self.store.models.values()):
            model.wait_for_news(max(0.0, deadline - time.monotonic()))
        summary = self.store.summary()
        if not any(one.available for one in summary):
            reasons = [
                f"model {one.name} is not available: "
                f"{'; '.join(one.complaints) or f'still loading after {timeout:g} s'}"
                for one in summary
            ]
            raise ServerStartError(". ".join(reasons) or "no model is configured")
        return summary

    def begin_drain(self) -> None:
        """Says that the server is about to end, and takes requests all the same.

        Health says no, and each answer over REST asks the client to open another connection for its next request.
        """
        self._ports.begin_drain()

    def stop(self, grace: float | None = None) -> None:
        """Takes no more requests, lets running ones finish, unloads; once, however often it is called.

        Args:
            grace: Longest wait for running requests, in seconds; None for the settings' own.
        """
        if self._stopped:
            return
        self._stopped = True
        grace = self._settings.grace_seconds if grace is None else grace
        started = time.monotonic()
        self._config_watch.stop()
        drained = self._ports.close(grace)
        for work in (self._grpc_work, self._rest_work):
            work.stop()
        self._generator.stop()
        self._runner.stop()
        self.store.stop()
        self._request_log.close()
        how = "every running request answered" if drained else "running requests cut off"
        _log.info("stopped after %.2f s, %s", time.monotonic() - started, how)

    def run_until_signal(self) -> None:
        """Blocks until SIGTERM or SIGINT arrives, then stops. Only for the main thread of a started server.

        After SIGTERM requests still pass for a while, so that load balancers notice. A second signal ends all waiting.
        """
        signals: queue.SimpleQueue[int] = queue.SimpleQueue()

        def note(number: int, _: FrameType | None) -> None:
            signals.put(number)

        before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            first = signals.get()
            _log.info("%s received: stopping", signal.Signals(first).name)
            if first == signal.SIGTERM:
                self._wait_as_lame_duck(signals)
            threading.Thread(target=self._hurry, args=[signals], name="seqline-signals", daemon=True).start()
            self.stop()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _wait_as_lame_duck(self, signals: "queue.SimpleQueue[int]") -> None:
        self.begin_drain()
        try:
            signals.put(signals.get(timeout=self._settings.lame_duck_seconds))
        except queue.Empty:
            return

    def _hurry(self, signals: "queue.SimpleQueue[int]") -> None:
        number = signals.get()
        _log.info("%s received: not waiting for running requests", signal.Signals(number).name)
        self._ports.hurry()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
