"""An LSTM encoder and an attention decoder (Sutskever et al., 2014; Bahdanau et al., 2015; Luong et al., 2015).

We differ from Sutskever et al. in not reversing the source: the encoder reads it from both ends.
B: batch, S: source length, T: target length, H: `hidden_dim`, V: size of the target vocabulary.
"""

import keras
from keras import ops

from models.architectures.settings.seq2seq import Seq2SeqSettings
from models.layers.attention_decoder import AttentionDecoder, Cache, Memory
from models.layers.masks import padding_mask
from models.layers.recurrent import RecurrentStack
from models.tokenizers.vocabularies import Vocabularies


class Seq2Seq(keras.Model):
    """Maps a source to the logits of its target, whole (training) or token by token (decoding).

    Args:
        source_vocabulary_size: token ids of the source.
        target_vocabulary_size: token ids of the target.
        settings: sizes.
    """

    def __init__(self, source_vocabulary_size: int, target_vocabulary_size: int, settings: Seq2SeqSettings):
        super().__init__(name="seq2seq")
        # === Layers ===
        self.settings = settings
        self.target_vocabulary_size = target_vocabulary_size
        self.source_embedding = keras.layers.Embedding(source_vocabulary_size, settings.embedding_dim)
        self.target_embedding = keras.layers.Embedding(target_vocabulary_size, settings.embedding_dim)
        self.encoder = RecurrentStack(
            "lstm", settings.hidden_dim // 2, settings.num_layers, dropout=settings.dropout, name="encoder"
        )
        # Bahdanau et al. (2015, A.2.2): the decoder starts from a learned reading of the encoder's end.
        self.bridges = [
            [keras.layers.Dense(settings.hidden_dim, "tanh"), keras.layers.Dense(settings.hidden_dim)]
            for _ in range(settings.num_layers)
        ]
        self.bridge_layers = [layer for pair in self.bridges for layer in pair]
        self.decoder = AttentionDecoder(settings.attention, settings.hidden_dim, settings.num_layers, name="decoder")
        # `encode` uses the decoder's key projection before the decoder is ever called.
        self.decoder.build((None, None, settings.embedding_dim))
        self.embedding_dropout = keras.layers.Dropout(settings.dropout)
        self.output_dropout = keras.layers.Dropout(settings.dropout)
        if not settings.tie_embeddings:
            self.output_projection = keras.layers.Dense(target_vocabulary_size, name="logits")

    def call(self, inputs: dict[str, keras.KerasTensor], training: bool = False) -> keras.KerasTensor:
        """Teacher forcing.

        Args:
            inputs: `source_token_ids` int (B, S) and `decoder_token_ids` int (B, T), the target shifted right;
                0 = padding.
            training: whether dropout is active.

        Returns:
            logits, float32 (B, T, V).
        """
        return self.align(inputs, training)[0]

    def align(
        self, inputs: dict[str, keras.KerasTensor], training: bool = False
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """As `call`, with the attention weights, float32 (B, T, S)."""
        memory, cache = self.encode(inputs["source_token_ids"], training)
        embedded = self.embedding_dropout(self.target_embedding(inputs["decoder_token_ids"]), training=training)
        outputs, weights = self.decoder(embedded, cache, memory)
        return self.project(self.output_dropout(outputs, training=training)), weights

    def encode(self, source_token_ids: keras.KerasTensor, training: bool = False) -> tuple[Memory, Cache]:
        """Reads the source, int (B, S), 0 = padding; returns what `next_token` needs at every step and at the first."""
        mask = padding_mask(source_token_ids)
        hidden_states, final_states = self.encoder(self.source_embedding(source_token_ids), mask, training=training)
        starts = [
            [bridge(state) for bridge, state in zip(bridges, states, strict=True)]
            for bridges, states in zip(self.bridges, final_states, strict=True)
        ]
        return self.decoder.remember(hidden_states, mask), self.decoder.start(starts)

    def next_token(self, token_ids: keras.KerasTensor, cache: Cache, memory: Memory) -> tuple[keras.KerasTensor, Cache]:
        """One step of decoding: previous tokens int (B,); returns logits float32 (B, V) and the next cache."""
        output, cache, _ = self.decoder.step(self.target_embedding(token_ids), cache, memory)
        return self.project(output), cache

    def project(self, outputs: keras.KerasTensor) -> keras.KerasTensor:
        """Scores every target token: float (..., H) to float32 (..., V)."""
        if self.settings.tie_embeddings:
            logits = ops.matmul(outputs, ops.transpose(ops.cast(self.target_embedding.embeddings, outputs.dtype)))
        else:
            logits = self.output_projection(outputs)
        return ops.cast(logits, "float32")


def build(settings: Seq2SeqSettings, vocabularies: Vocabularies) -> Seq2Seq:
    """Builds the model for the features `source` and `target`, with its weights."""
    model = Seq2Seq(
        vocabularies.tokenizer("source").vocabulary_size, vocabularies.tokenizer("target").vocabulary_size, settings
    )
    example = ops.ones((1, 1), dtype="int32")
    model({"source_token_ids": example, "decoder_token_ids": example})
    return model
