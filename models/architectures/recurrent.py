"""Stacked recurrent layers: read from both ends (Graves and Schmidhuber, 2005) an encoder, from one a decoder."""

from models.architectures.settings.recurrent import RecurrentSettings
from models.layers.attention_decoder import AttentionDecoder
from models.layers.recurrent import RecurrentStack


def encoder(settings: RecurrentSettings) -> RecurrentStack:
    """Plays the encoder."""
    return RecurrentStack(
        settings.cell,
        settings.hidden_dim,
        settings.num_layers,
        settings.bidirectional,
        settings.residual,
        settings.dropout,
        name="encoder",
    )


def decoder(settings: RecurrentSettings, has_source: bool = True) -> AttentionDecoder:
    """Plays the decoder; of a source, if any, it knows the encoder's final states alone (Sutskever et al., 2014)."""
    return AttentionDecoder(
        "none",
        settings.hidden_dim,
        settings.num_layers,
        settings.cell,
        settings.residual,
        name="decoder",
    )
