"""All models of a server, by name."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from serving.core.model import Lease, ManagedModel, ModelConfig, Timing, VersionStatus
from serving.core.predict import Predictor
from serving.core.servable import Servable
from serving.core.versions import Everything, Latest, Specific, VersionPolicy
from serving.core.warmup import warm_up
from serving.errors import InvalidRequestError, NotFoundError
from serving.settings import ServingSettings


@dataclass(frozen=True)
class ModelQuery:
    """Which model a request means.

    Attributes:
        name: Model name.
        version: Version number; None for the latest.
        label: Version label; empty for none.
    """

    name: str
    version: int | None = None
    label: str = ""


def version_policy(settings: ServingSettings) -> VersionPolicy:
    """The versions that the settings ask for."""
    if settings.specific_versions:
        return Specific(frozenset(settings.specific_versions))
    return Latest(settings.num_versions) if settings.num_versions else Everything()


class ModelStore:
    """Finds the loaded version that a request means."""

    def __init__(self, configs: Iterable[ModelConfig], settings: ServingSettings, predictor: Predictor) -> None:
        self._settings = settings
        self._predictor = predictor
        timing = Timing(settings.poll_seconds, settings.load_retry_seconds, settings.max_load_retry_seconds)
        self.models = {config.name: ManagedModel(config, self._load, timing) for config in configs}

    def start(self) -> None:
        """Begins to load."""
        for model in self.models.values():
            model.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Unloads everything; waits at most `timeout` seconds for each load that is under way."""
        for model in self.models.values():
            model.stop(timeout)

    @contextlib.contextmanager
    def lease(self, query: ModelQuery) -> Iterator[Lease]:
        """Holds the version that a request means in memory while the request uses it.

        Raises:
            InvalidRequestError: No model is named, or the label is unknown.
            NotFoundError: Nothing loaded answers to the query.
        """
        if not query.name:
            raise InvalidRequestError("ModelSpec has no name specified.")
        if query.version is None and query.label:
            raise InvalidRequestError(f"Unrecognized servable version label: {query.label}")
        model = self.models.get(query.name)
        if model is None:
            which = f"Latest({query.name})" if query.version is None else f"Specific({query.name}, {query.version})"
            raise NotFoundError(f"Servable not found for request: {which}")
        with model.lease(query.version) as lease:
            yield lease

    def status(self, name: str, version: int | None = None) -> list[VersionStatus]:
        """Every version ever seen of a model, highest first; or the one asked for.

        Raises:
            NotFoundError: There is none.
        """
        model = self.models.get(name)
        found = model.status() if model else []
        if version is not None:
            found = [status for status in found if status.number == version]
        if not found:
            what = "any versions" if version is None else f"version {version}"
            raise NotFoundError(f"Could not find {what} of model {name}")
        return found

    def _load(self, path: Path) -> Servable:
        settings = self._settings
        servable = Servable(path, settings.saved_model_tags, settings.intra_op_threads, settings.inter_op_threads)
        try:
            if settings.enable_model_warmup:
                warm_up(servable, self._predictor, settings.num_warmup_iterations)
        except BaseException:
            servable.close()
            raise
        return servable
