"""The embedded server: a model folder behind the TensorFlow Serving API."""

import gc
import logging
import signal
import threading
import time
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from serving.core.model import ModelConfig
from serving.core.predict import Predictor, make_runner
from serving.core.store import ModelStore, version_policy
from serving.errors import ServerStartError
from serving.grpc.listener import GrpcListener
from serving.settings import ServingSettings

_log = logging.getLogger("seqline.serving")


def prepare_process() -> None:
    """Readies a process that does nothing but serve. Call it once, before the first server starts.

    TensorFlow's modules alone are 400,000 Python objects. Each full garbage collection walks through all of them and
    stops every request for up to half a second; set aside here, they are never looked at again.
    """
    gc.collect()
    gc.freeze()


class Server:
    """Serves one model and follows its folder: new versions are picked up while requests go on.

    Usable as a context manager that starts and stops it.

    Attributes:
        store: The model's versions and their states.
    """

    def __init__(self, model_name: str, base_path: str | Path, settings: ServingSettings | None = None) -> None:
        """Prepares the server; `start` opens the port.

        Args:
            model_name: Name that requests use.
            base_path: Folder with one folder per version, named by its number.
            settings: Where to listen and how to serve.
        """
        self._settings = settings or ServingSettings()
        self._name = model_name
        self._base_path = Path(base_path)
        self._runner = make_runner(self._settings)
        predictor = Predictor(self._settings, self._runner)
        config = ModelConfig(model_name, self._base_path.absolute(), version_policy(self._settings))
        self.store = ModelStore([config], self._settings, predictor)
        self._listener = GrpcListener(self.store, predictor, self._settings)
        self._port = 0

    @property
    def port(self) -> int:
        """TCP port of the gRPC API; 0 before `start`."""
        return self._port

    @property
    def address(self) -> str:
        """Host and port, as a client takes them."""
        return f"{self._settings.host}:{self._port}"

    def start(self) -> None:
        """Opens the port and begins to load; returns before the model is available.

        Raises:
            ServerStartError: The folder does not exist or the port cannot be had.
        """
        if not self._base_path.is_dir():
            raise ServerStartError(
                f"the base path of model {self._name} must be an existing folder that holds one folder per version "
                f"(.../{self._name}/1/saved_model.pb); {self._base_path} is "
                f"{'a file' if self._base_path.exists() else 'not there'}. Run the pipeline to its Pusher first, or "
                "correct the path"
            )
        self._port = self._listener.open()
        self.store.start()
        _log.info("model %s: serving %s on %s", self._name, self._base_path, self.address)

    def wait_until_available(self, timeout: float = 60.0) -> None:
        """Waits until a version answers requests.

        Args:
            timeout: Longest wait, in seconds.

        Raises:
            ServerStartError: The first load failed, or the time is over; the message says why.
        """
        model = self.store.models[self._name]
        if model.wait_until_settled(timeout):
            return
        failures = [f"version {status.number}: {status.error}" for status in model.status() if status.error]
        reasons = failures + model.complaints() or [f"still loading after {timeout:g} s"]
        raise ServerStartError(f"model {self._name} is not available: {'; '.join(reasons)}")

    def stop(self, grace: float | None = None) -> None:
        """Takes no more requests, lets running ones finish, unloads.

        Args:
            grace: Longest wait for running requests, in seconds; None for the settings' own.
        """
        grace = self._settings.grace_seconds if grace is None else grace
        started = time.monotonic()
        drained = self._listener.close(grace)
        self._runner.stop()
        self.store.stop()
        how = "every running request answered" if drained else "running requests cut off"
        _log.info("model %s: stopped after %.2f s, %s", self._name, time.monotonic() - started, how)

    def run_until_signal(self) -> None:
        """Blocks until SIGTERM or SIGINT arrives, then stops. Only for the main thread of a started server."""
        signalled = threading.Event()

        def note(number: int, _: FrameType | None) -> None:
            _log.info("%s received: stopping", signal.Signals(number).name)
            signalled.set()

        before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            signalled.wait()
            self.stop()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
