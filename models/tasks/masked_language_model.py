"""An encoder with the embeddings and the heads of BERT around it (Devlin et al., 2019).

B: batch, T: positions, P: positions that are to be guessed, V: pieces, H: width of the hidden states.
"""

from collections.abc import Mapping

import keras
from keras import ops

from models.architectures.roles import Encoder
from models.layers.heads.masked_tokens import MaskedTokens, NextSentence
from models.layers.heads.token_embedding import TokenEmbedding
from models.layers.masks import masked_mean, padding_mask


class MaskedLanguageModel(keras.Model):
    """Scores pieces at hidden positions, and whether one part of a text follows another.

    Args:
        token_embedding: of the pieces and of [MASK].
        segment_embedding: of the two parts.
        encoder: plays the encoder.
        masked_tokens: scores pieces.
        next_sentence: scores two parts; None: nothing does.
    """

    def __init__(
        self,
        token_embedding: TokenEmbedding,
        segment_embedding: keras.layers.Embedding,
        encoder: Encoder,
        masked_tokens: MaskedTokens,
        next_sentence: NextSentence | None,
    ):
        super().__init__(name="masked_language_model")
        self.token_embedding = token_embedding
        self.segment_embedding = segment_embedding
        self.encoder = encoder
        self.masked_tokens = masked_tokens
        self.next_sentence = next_sentence

    def call(self, inputs: Mapping[str, keras.KerasTensor], training: bool = False) -> dict[str, keras.KerasTensor]:
        """Scores what is asked for.

        Args:
            inputs: `token_ids` int (B, T), 0 = padding; `segment_ids` int (B, T); `positions` int (B, P).
            training: whether dropout is active.

        Returns:
            logits: `masked` float32 (B, P, V), and where the model learns it `next` float32 (B, 2).
        """
        hidden_states = self.hidden_states(inputs["token_ids"], inputs["segment_ids"], training)
        scores = {"masked": self.masked_tokens(hidden_states, inputs["positions"])}
        if self.next_sentence:
            scores["next"] = self.next_sentence(hidden_states, training=training)
        return scores

    def hidden_states(
        self, token_ids: keras.KerasTensor, segment_ids: keras.KerasTensor, training: bool = False
    ) -> keras.KerasTensor:
        """What the encoder makes of tokens: int (B, T) both to float (B, T, H)."""
        vectors = self.token_embedding(token_ids, training=training) + self.segment_embedding(segment_ids)
        hidden_states, _ = self.encoder(vectors, padding_mask(token_ids), training=training)
        return hidden_states

    def embed(self, token_ids: keras.KerasTensor) -> keras.KerasTensor:
        """Vectors of texts, int (B, T): float32 (B, H), the mean over real positions, of length 1."""
        hidden_states = self.hidden_states(token_ids, ops.zeros_like(token_ids))
        mean = ops.cast(masked_mean(hidden_states, padding_mask(token_ids)), "float32")
        return mean / ops.maximum(ops.norm(mean, axis=-1, keepdims=True), 1e-9)
