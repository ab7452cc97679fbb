"""What the pipeline may ask of a `model` section without knowing which architecture it describes."""

from models.audio_settings import AudioSettings
from models.settings import Settings

# What `only_for` may name beside the uses of tasks, and how a model comes to have it.
MODEL_USES = {
    "attention": "a model with attention: seq2seq with another model.attention than none, gnmt or transformer",
    "asked_label": (
        "a model that can be asked for a label: one with label in model.condition_on, or with model.local_features"
    ),
}


class ArchitectureSettings(Settings):
    """The base of all `model` sections; an architecture overrides the facts that hold for it."""

    architecture: str
    """Which architecture this section describes."""

    @property
    def uses(self) -> frozenset[str]:
        """Keys of `MODEL_USES` that this model has."""
        return frozenset()

    @property
    def carries_states(self) -> bool:
        """Whether a decoder's cache is of one size whatever it has read, so that a later window can go on from it."""
        return True

    @property
    def receptive_field(self) -> int:
        """Past values that a prediction depends on; 0: their number is not fixed."""
        return 0

    @property
    def slow_on_gpu(self) -> dict[str, str]:
        """Settings with which an encoder trains slower on a GPU than it could: key to the reason."""
        return {}

    def figures(self, audio: AudioSettings) -> dict[str, str]:
        """What `seqline plan` tells of the model, name to text; `audio` is the section of the same configuration."""
        return {}
