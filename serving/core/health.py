"""Whether the server lives, and which models answer."""

from serving.core.store import ModelStore


class Health:
    """Tells the truth per model, at the moment of the question. Never waits for anything.

    Attributes:
        draining: The server is about to end and wants no new requests.
    """

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self.draining = False

    def models(self) -> dict[str, bool]:
        """Each configured model, and whether a version of it answers requests."""
        models = self._store.models
        return {name: not self.draining and models[name].is_available() for name in self._store.configured}

    def is_ready(self) -> bool:
        """Whether every configured model answers requests."""
        return not self.draining and all(self.models().values())
