"""Stacked recurrent layers: read from both ends (Graves and Schmidhuber, 2005) an encoder, from one a decoder."""

from models.architectures.settings.layers import RecurrentLayersSettings
from models.architectures.settings.recurrent import RecurrentSettings
from models.layers.attention_decoder import AttentionDecoder
from models.layers.cell_stack import CellStack
from models.layers.recurrent import RecurrentStack


def encoder(settings: RecurrentSettings) -> RecurrentStack:
    """Plays the encoder."""
    return recurrent_stack(settings, settings.hidden_dim, settings.bidirectional)


def decoder(settings: RecurrentSettings, has_source: bool = True) -> AttentionDecoder:
    """Plays the decoder; of a source, if any, it knows the encoder's final states alone (Sutskever et al., 2014)."""
    return AttentionDecoder("none", cell_stack(settings), name="decoder")


def recurrent_stack(settings: RecurrentLayersSettings, hidden_dim: int, bidirectional: bool) -> RecurrentStack:
    """An encoder's layers, of so many units in each direction."""
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
    """A decoder's layers."""
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
