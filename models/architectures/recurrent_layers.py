"""The layers of encoders and decoders as `RecurrentLayersSettings` describes them."""

from models.architectures.settings.recurrent_layers import RecurrentLayersSettings
from models.layers.cell_stack import CellStack
from models.layers.recurrent import RecurrentStack


def recurrent_stack(settings: RecurrentLayersSettings, hidden_dim: int, bidirectional: bool) -> RecurrentStack:
    """Those of an encoder, of so many units in each direction."""
    return RecurrentStack(
        settings.cell,
        hidden_dim,
        settings.num_layers,
        bidirectional,
        settings.connections,
        settings.dropout,
        settings.variational_dropout,
        settings.recurrent_dropout,
        settings.layer_normalization,
        name="encoder",
    )


def cell_stack(settings: RecurrentLayersSettings) -> CellStack:
    """Those of a decoder."""
    return CellStack(
        settings.cell,
        settings.hidden_dim,
        settings.num_layers,
        settings.connections,
        dropout=settings.dropout,
        variational_dropout=settings.variational_dropout,
        recurrent_dropout=settings.recurrent_dropout,
        layer_normalization=settings.layer_normalization,
        name="stack",
    )
