"""A text classifier of stacked, bidirectional recurrent layers (Graves and Schmidhuber, 2005)."""

import keras
from keras import ops

from models.architectures.settings.recurrent import RecurrentSettings
from models.layers.masks import masked_max, masked_mean, padding_mask
from models.layers.recurrent import RecurrentStack
from models.tokenizers.vocabularies import Vocabularies


def build(settings: RecurrentSettings, vocabularies: Vocabularies) -> keras.Model:
    """Builds the classifier.

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
    # One draw for a token's whole vector (Iyyer et al., 2015, section 3.2).
    token_dropout = keras.layers.Dropout(settings.token_dropout, noise_shape=(None, None, 1), name="token_dropout")
    stack = RecurrentStack(
        settings.cell,
        settings.hidden_dim,
        settings.num_layers,
        settings.bidirectional,
        settings.residual,
        settings.dropout,
        name="recurrent_stack",
    )
    dropout = keras.layers.Dropout(settings.dropout, name="output_dropout")
    output = keras.layers.Dense(len(vocabularies.labels), dtype="float32", name="logits")

    # === Functional Model ===
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = padding_mask(token_ids)
    hidden_states, final_states = stack(token_dropout(embedding(token_ids)), mask)
    pooled = {
        "last": lambda: final_states[-1][0],
        "mean": lambda: masked_mean(hidden_states, mask),
        "max": lambda: masked_max(hidden_states, mask),
        "mean_max": lambda: ops.concatenate([masked_mean(hidden_states, mask), masked_max(hidden_states, mask)], -1),
    }[settings.pooling]()
    return keras.Model(token_ids, output(dropout(pooled)), name="recurrent")
