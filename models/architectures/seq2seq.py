"""A recurrent encoder and an attention decoder (Sutskever et al., 2014; Bahdanau et al., 2015; Luong et al., 2015).

We differ from Sutskever et al. in not reversing the source: the encoder reads it from both ends.
"""

from models.architectures.recurrent_layers import cell_stack, recurrent_stack
from models.architectures.settings.seq2seq import Seq2SeqSettings
from models.layers.attention_decoder import AttentionDecoder
from models.layers.recurrent import RecurrentStack


def encoder(settings: Seq2SeqSettings) -> RecurrentStack:
    """Plays the encoder; its two directions together are as wide as the decoder."""
    return recurrent_stack(settings, settings.hidden_dim // 2, bidirectional=True)


def decoder(settings: Seq2SeqSettings, has_source: bool = True) -> AttentionDecoder:
    """Plays the decoder; without a source there is nothing to attend to."""
    attention = settings.attention if has_source else "none"
    return AttentionDecoder(attention, cell_stack(settings), settings.input_feeding, name="decoder")
