"""The `card` section of the configuration file: what only people can say of a model."""

from models.settings import Settings


class CardSettings(Settings):
    """What the model card says besides what a run knows (Mitchell et al., 2019)."""

    owner: str = ""
    """Who answers for the model, and how to reach them."""

    intended_use: str = ""
    """What the model is for, and who is to use it."""

    out_of_scope: str = ""
    """What the model is not to be used for."""

    data: str = ""
    """Where the data come from, how they were collected, and what they leave out."""

    limits: str = ""
    """What the model is known to do badly, and whom that concerns."""

    licence: str = ""
    """Under which the model may be used."""
