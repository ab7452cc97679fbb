"""Whether the server lives, and which models answer."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serving.core.store import ModelStore  # needs TensorFlow, which health does not wait for


class Health:
    """Tells the truth per model, at the moment of the question. Never waits for anything.

    Attributes:
        draining: The server is about to end and wants no new requests.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Begins without models.

        Args:
            names: Models that will come.
        """
        self._names = tuple(names)
        self._store: ModelStore | None = None
        self.draining = False

    def follow(self, store: "ModelStore") -> None:
        """Tells of the models of a store from now on."""
        self._store = store

    def takes_requests(self) -> bool:
        """Whether requests are answered at all, by a model or by what is wrong with it."""
        return self._store is not None and not self.draining

    def models(self) -> dict[str, bool]:
        """Each configured model, and whether a version of it answers requests."""
        if self._store is None:
            return dict.fromkeys(self._names, False)
        models = self._store.models
        return {name: not self.draining and models[name].is_available() for name in self._store.configured}

    def is_ready(self) -> bool:
        """Whether every configured model answers requests."""
        return self.takes_requests() and all(self.models().values())
