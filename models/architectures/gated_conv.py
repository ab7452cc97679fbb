"""A classifier of gated convolutions (Dauphin et al., 2017) with residual connections.

We differ in seeing both sides of a position, since the whole text is known.
"""

import keras
from keras import ops

from models.architectures.settings import GatedConvSettings
from models.layers.gated_conv import GatedConv, SqueezeExcitation
from models.layers.masks import masked_max, masked_mean, padding_mask
from models.tokenizers.vocabularies import Vocabularies


class GatedConvStack(keras.layers.Layer):
    """Gated convolutions, each with a residual connection; padding is invisible to all of them.

    Args:
        settings: sizes.
    """

    def __init__(self, settings: GatedConvSettings, name: str | None = None):
        super().__init__(name=name)
        self.projection = keras.layers.Dense(settings.hidden_dim)
        self.convolutions = [
            GatedConv(
                settings.hidden_dim, settings.kernel_size, 2**depth if settings.dilation else 1, "same", "linear"
            )
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
    """Builds the classifier of texts.

    Args:
        settings: sizes.
        vocabularies: of the features `text` and `label`.

    Returns:
        A model from `token_ids`, int (B, T), 0 = padding, to logits, float32 (B, number of labels).
    """
    # === Layers ===
    embedding = keras.layers.Embedding(
        vocabularies.tokenizer("text").vocabulary_size, settings.embedding_dim, name="token_embedding"
    )
    token_dropout = keras.layers.Dropout(settings.token_dropout, noise_shape=(None, None, 1), name="token_dropout")
    embedding_dropout = keras.layers.Dropout(settings.dropout, name="embedding_dropout")
    stack = GatedConvStack(settings, name="gated_conv_stack")
    dropout = keras.layers.Dropout(settings.dropout, name="output_dropout")
    output = keras.layers.Dense(len(vocabularies.labels), dtype="float32", name="logits")

    # === Functional Model ===
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = padding_mask(token_ids)
    hidden_states = stack(embedding_dropout(token_dropout(embedding(token_ids))), mask)
    pooled = ops.concatenate([masked_mean(hidden_states, mask), masked_max(hidden_states, mask)], -1)
    return keras.Model(token_ids, output(dropout(pooled)), name="gated_conv")
