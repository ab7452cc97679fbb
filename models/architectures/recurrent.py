"""Stacked recurrent layers: read from both ends (Graves and Schmidhuber, 2005) an encoder, from one a decoder."""

from models.architectures.recurrent_layers import cell_stack, recurrent_stack
from models.architectures.settings.recurrent import RecurrentSettings
from models.layers.attention_decoder import AttentionDecoder
from models.layers.recurrent import RecurrentStack


def encoder(settings: RecurrentSettings) -> RecurrentStack:
    """Plays the encoder."""
    return recurrent_stack(settings, settings.hidden_dim, settings.bidirectional)


def decoder(settings: RecurrentSettings, has_source: bool = True) -> AttentionDecoder:
    """Plays the decoder; of a source, if any, it knows the encoder's final states alone (Sutskever et al., 2014)."""
    return AttentionDecoder("none", cell_stack(settings), name="decoder")
