"""All models of a server, by name."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from serving.core.loading import Loader
from serving.core.metrics import Metrics
from serving.core.model import ManagedModel
from serving.core.model_config import check_labels
from serving.core.predict import Predictor
from serving.core.status_names import status_name
from serving.core.version_records import Lease, ModelConfig, State, Supervision, VersionStatus
from serving.core.versions import Everything, Latest, Specific, VersionPolicy, find_versions
from serving.errors import DeadlineExceededError, InvalidRequestError, NotFoundError, UnknownFailureError
from serving.settings import ServingSettings

_LOOK_UP_SECONDS = 0.5


def _never() -> bool:
    return False


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


@dataclass(frozen=True)
class ModelSummary:
    """What a list of models tells of one.

    Attributes:
        name: Model name.
        base_path: Folder with one folder per version.
        available: Versions that answer, highest first.
        labels: Names of versions.
        complaints: What is wrong with it, in words.
    """

    name: str
    base_path: str
    available: list[int]
    labels: dict[str, int]
    complaints: list[str]


def version_policy(settings: ServingSettings) -> VersionPolicy:
    """The versions that the settings ask for."""
    if settings.specific_versions:
        return Specific(frozenset(settings.specific_versions))
    return Latest(settings.num_versions) if settings.num_versions else Everything()


class ModelStore:
    """Finds the loaded version that a request means, and follows changes of the configuration.

    Attributes:
        models: Every model ever configured, by name.
    """

    def __init__(
        self, configs: Iterable[ModelConfig], settings: ServingSettings, predictor: Predictor, metrics: Metrics
    ) -> None:
        """Prepares the models; `start` begins to load.

        Raises:
            InvalidRequestError: The settings name a file that cannot be used.
        """
        self._settings = settings
        self._loader = Loader(settings, predictor, metrics)
        retries = settings.models.max_load_retries
        self._supervision = Supervision(
            settings.poll_seconds,
            settings.load_retry_seconds,
            settings.max_load_retry_seconds,
            None if retries < 0 else retries,
            settings.models.skip_incomplete_versions,
        )
        metrics.add_gauge("model_versions", ["model_name", "state"], self.state_counts)
        self._first = list(configs)
        self._configured: dict[str, ModelConfig] = {}
        self._labels: dict[str, Mapping[str, int]] = {}
        self._reloading = threading.Lock()
        self.models: dict[str, ManagedModel] = {}

    @property
    def configured(self) -> Mapping[str, ModelConfig]:
        """The configurations in force, by model name."""
        return self._configured

    def start(self) -> None:
        """Begins to load.

        Raises:
            FailedPreconditionError: A label of a version that is not there yet, where that is not allowed.
        """
        if not self._settings.models.labels_after_load:
            self._check_labels(self._first)
        self._apply(self._first)
        self._name_labels(self._first)

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
        number = query.version
        if number is None and query.label:
            number = self._labels.get(query.name, {}).get(query.label)
            if number is None:
                raise InvalidRequestError(f"Unrecognized servable version label: {query.label}")
        model = self.models.get(query.name)
        if model is None:
            which = f"Latest({query.name})" if number is None else f"Specific({query.name}, {number})"
            raise NotFoundError(f"Servable not found for request: {which}")
        with model.lease(number) as lease:
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

    def summary(self) -> list[ModelSummary]:
        """The configured models, by name."""
        return [
            ModelSummary(
                name,
                str(config.base_path),
                [one.number for one in self.models[name].status() if one.state is State.AVAILABLE],
                dict(self._labels.get(name, {})),
                self.models[name].complaints() + _errors(self.models[name]),
            )
            for name, config in sorted(self._configured.items())
        ]

    def state_counts(self) -> dict[tuple[str, ...], float]:
        """Model and state to the number of versions in it."""
        return dict(Counter((name, one.state.name) for name, model in self.models.items() for one in model.status()))

    # === Changes of the configuration ===

    def reload(
        self, configs: list[ModelConfig], deadline: float = float("inf"), abandoned: Callable[[], bool] = _never
    ) -> None:
        """Changes which models are served, and waits until each new one is available.

        Where the configuration cannot be, nothing changes. Labels move last, when the versions that they name answer.
        One change is made at a time.

        Args:
            configs: All models to serve from now on; those left out are unloaded.
            deadline: Time at which the caller gives up, on the clock of `time.monotonic`. What was begun goes on.
            abandoned: Asked now and then whether the caller has given up before.

        Raises:
            FailedPreconditionError: A label of a version that is not available.
            UnknownFailureError: A new model did not become available.
            DeadlineExceededError: Time ran out, or the caller gave up.
        """
        if not self._reloading.acquire(timeout=_remaining(deadline)):
            raise DeadlineExceededError("another change of the configuration is still under way")
        try:
            new = [config.name for config in configs if config.name not in self._configured]
            late = self._settings.models.labels_after_load
            self._check_labels(configs, on_the_way=late)
            self._apply(configs)
            self._wait_for(new, deadline, abandoned=abandoned)
            if late:
                self._wait_for_labels(configs, deadline, abandoned)
            self._name_labels(configs)
        finally:
            self._reloading.release()

    def wait_until_settled(self, deadline: float) -> None:
        """Waits until every configured model has a version available.

        Raises:
            UnknownFailureError: One has failed.
            DeadlineExceededError: Time ran out.
        """
        self._wait_for(list(self._configured), deadline, "servable")

    def _apply(self, configs: Iterable[ModelConfig]) -> None:
        wanted = {config.name: config for config in configs}
        for name in self._configured.keys() - wanted.keys():
            self.models[name].retire()
        for name, config in wanted.items():
            if name in self.models:
                self.models[name].configure(config)
            else:
                model = ManagedModel(config, self._loader.load, self._supervision)
                self.models = {**self.models, name: model}
                model.start()
        self._configured = wanted

    def _name_labels(self, configs: Iterable[ModelConfig]) -> None:
        self._labels = {config.name: config.labels for config in configs}

    def _check_labels(self, configs: Iterable[ModelConfig], on_the_way: bool = False) -> None:
        """`on_the_way`: versions that this configuration brings count too."""
        for config in configs:
            model = self.models.get(config.name)
            versions = model.status() if model else []
            available = {version.number for version in versions if version.state is State.AVAILABLE}
            if config.labels and on_the_way:
                available |= versions_to_come(config)
            old = dict(self._labels.get(config.name, {}))
            check_labels(config, old, available, self._settings.models.labels_for_unavailable_versions)

    def _wait_for_labels(self, configs: Iterable[ModelConfig], deadline: float, abandoned: Callable[[], bool]) -> None:
        for config in configs:
            model = self.models[config.name]
            while config.labels and not model.wait_until_followed(min(deadline, time.monotonic() + _LOOK_UP_SECONDS)):
                if abandoned() or not _remaining(deadline):
                    raise DeadlineExceededError(f"model {config.name} is still loading")
        self._check_labels(configs)

    def _settles(self, model: ManagedModel, deadline: float, abandoned: Callable[[], bool]) -> bool:
        """Waits as `ManagedModel.wait_until_settled`, and looks up now and then whether the caller has given up."""
        while not model.wait_until_settled(min(_remaining(deadline), _LOOK_UP_SECONDS)):
            if abandoned():
                raise DeadlineExceededError(f"model {model.config.name} is not waited for any longer")
            if model.settled or not _remaining(deadline):
                return False
        return True

    def _wait_for(
        self, names: list[str], deadline: float, what: str = "model", abandoned: Callable[[], bool] = _never
    ) -> None:
        failed = []
        for name in names:
            if self._settles(self.models[name], deadline, abandoned):
                continue
            errors = [status for status in self.models[name].status() if status.error]
            if not errors:
                raise DeadlineExceededError(
                    f"model {name} has no available version yet: {'; '.join(self.models[name].complaints())}"
                )
            failed.append(
                f"{{{{name: {name} version: {errors[0].number}}} due to error: "
                f"{status_name(errors[0].error)}: {errors[0].error}}}, "
            )
        if failed:
            raise UnknownFailureError(f"{len(failed)} {what}(s) did not become available: {{{''.join(failed)}}}")


def versions_to_come(config: ModelConfig) -> set[int]:
    """The versions that a configuration asks for and that lie whole in its folder; none where it cannot be read."""
    try:
        return config.policy.choose(set(find_versions(config.base_path).complete))
    except OSError:
        return set()


def _errors(model: ManagedModel) -> list[str]:
    return [f"version {status.number}: {status.error}" for status in model.status() if status.error]


def _remaining(deadline: float) -> float:
    return max(0.0, min(deadline - time.monotonic(), threading.TIMEOUT_MAX))
