"""A classifier of gated convolutions (Dauphin et al., 2017) with residual connections.

We differ in seeing both sides of a position, since the whole text, or sound, is known.
"""

from typing import Any

import keras
from keras import ops

from models.architectures.settings.gated_conv import GatedConvSettings
from models.audio import NUM_MEL_BINS
from models.layers.gated_conv import GatedConv, SqueezeExcitation
from models.layers.masks import masked_max, masked_mean, padding_mask
from models.layers.noise import NoiseFloor
from models.tokenizers.vocabularies import Vocabularies


class GatedConvStack(keras.layers.Layer):
    """Gated convolutions, each with a residual connection; padding is invisible to all of them.

    Args:
        settings: sizes.
    """

    def __init__(self, settings: GatedConvSettings, name: str | None = None):
        super().__init__(name=name)
        self.supports_masking = True
        self.projection = keras.layers.Dense(settings.hidden_dim)
        self.convolutions = [
            GatedConv(settings.hidden_dim, settings.kernel_size, 2**depth if settings.dilation else 1, "same", "linear")
            for depth in range(settings.num_layers)
        ]
        ratio = settings.squeeze_excitation
        self.excitations = [SqueezeExcitation(settings.hidden_dim, ratio) for _ in self.convolutions if ratio]
        self.dropouts = [keras.layers.Dropout(settings.dropout) for _ in self.convolutions]

    def call(self, inputs: keras.KerasTensor, mask: keras.KerasTensor) -> keras.KerasTensor:
        """Float (B, T, any) and bool (B, T), True = real, to float (B, T, hidden_dim), 0 where padded."""
        real = ops.expand_dims(ops.cast(mask, self.compute_dtype), -1)
        hidden_states = self.projection(inputs) * real
        for index, convolution in enumerate(self.convolutions):
            added = convolution(hidden_states)
            if self.excitations:
                added = self.excitations[index](added, mask)
            # Zeros before the next layer looks: what is padded must look as if it were not there.
            hidden_states = (hidden_states + self.dropouts[index](added)) * real
        return hidden_states


def build(settings: GatedConvSettings, vocabularies: Vocabularies) -> keras.Model:
    """Builds the classifier: of texts where there is a vocabulary of them, else of sounds.

    Args:
        settings: sizes.
        vocabularies: with the labels, and for texts of the feature `text`.

    Returns:
        A model to logits, float32 (B, number of labels), from `token_ids`, int (B, T), 0 = padding; or from `frames`,
        float (B, F, M), and `num_frames`, int (B,), how many of them are real.
    """
    inputs, vectors, mask = _text(settings, vocabularies) if "text" in vocabularies.pieces else _sound(settings)
    # === Layers ===
    token_dropout = keras.layers.Dropout(settings.token_dropout, noise_shape=(None, None, 1), name="token_dropout")
    stack = GatedConvStack(settings, name="gated_conv_stack")
    dropout = keras.layers.Dropout(settings.dropout, name="output_dropout")
    output = keras.layers.Dense(len(vocabularies.labels), dtype="float32", name="logits")

    # === Functional Model ===
    hidden_states = stack(token_dropout(vectors), mask)
    pooled = ops.concatenate([masked_mean(hidden_states, mask), masked_max(hidden_states, mask)], -1)
    return keras.Model(inputs, output(dropout(pooled)), name="gated_conv")


def _text(settings: GatedConvSettings, vocabularies: Vocabularies) -> tuple[Any, keras.KerasTensor, keras.KerasTensor]:
    size = vocabularies.tokenizer("text").vocabulary_size
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    embedding = keras.layers.Embedding(size, settings.embedding_dim, name="token_embedding")
    dropout = keras.layers.Dropout(settings.dropout, name="embedding_dropout")
    return token_ids, dropout(embedding(token_ids)), padding_mask(token_ids)


def _sound(settings: GatedConvSettings) -> tuple[Any, keras.KerasTensor, keras.KerasTensor]:
    frames = keras.Input((None, NUM_MEL_BINS), name="frames")
    num_frames = keras.Input((), dtype="int32", name="num_frames")
    mask = SequenceMask(name="mask")(num_frames, frames)
    heard = frames if settings.noise_snr_db is None else NoiseFloor(settings.noise_snr_db, name="noise")(frames, mask)
    # Levels and their spread differ from band to band. Those that serving uses must be learned in a short training too:
    # Keras's own momentum, 0.99, would have forgotten only a fifth of the zero that it begins with after 24 steps.
    normalized = keras.layers.BatchNormalization(momentum=0.9, name="normalization")(heard, mask=mask)
    return {"frames": frames, "num_frames": num_frames}, normalized, mask


class SequenceMask(keras.layers.Layer):
    """True for the real positions: lengths int (B,) and a sequence (B, T, D) to bool (B, T)."""

    def call(self, lengths: keras.KerasTensor, sequence: keras.KerasTensor) -> keras.KerasTensor:
        """Compares each position with its row's length."""
        return ops.expand_dims(ops.arange(ops.shape(sequence)[1]), 0) < ops.expand_dims(lengths, 1)
