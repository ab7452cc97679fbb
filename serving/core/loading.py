"""From a version folder to a model in memory that has answered its warm-up requests."""

import time
from pathlib import Path

from serving.core.batching_parameters import read_model_parameters
from serving.core.metrics import Metrics
from serving.core.predict import Predictor
from serving.core.servable import Servable
from serving.core.session_config import session_config
from serving.core.status_names import status_name
from serving.core.warmup import warm_up
from serving.errors import ServingError
from serving.settings import ServingSettings


class Loader:
    """Loads versions in the way that the settings ask for."""

    def __init__(self, settings: ServingSettings, predictor: Predictor, metrics: Metrics) -> None:
        """Prepares loading.

        Raises:
            InvalidRequestError: The settings name a file of TensorFlow's configuration that cannot be used.
        """
        self._settings = settings
        self._predictor = predictor
        self._metrics = metrics
        self._config = session_config(settings)

    def load(self, path: Path) -> Servable:
        """Loads a version and warms it up.

        Raises:
            ServingError: It cannot be loaded, or fails on a warm-up request.
        """
        batching = self._settings.batching
        if batching.per_model_parameters:
            batching = read_model_parameters(path, batching)
        servable = Servable(path, self._settings.saved_model_tags, self._config, batching, self._metrics)
        try:
            if self._settings.enable_model_warmup:
                self._warm_up(servable)
        except BaseException:
            servable.close()
            raise
        return servable

    def _warm_up(self, servable: Servable) -> None:
        started, status, count = time.perf_counter(), "OK", 0
        try:
            count = warm_up(servable, self._predictor, self._settings.num_warmup_iterations)
        except ServingError as error:
            status, count = f"{status_name(error)}: {error}", 1
            raise
        finally:
            if count:
                micros = 1e6 * (time.perf_counter() - started)
                self._metrics.warmup_latency.observe(micros, str(servable.path), status)
                self._metrics.warmup_records.add(str(servable.path), status, amount=count)
