"""An encoder between what is known of words and the scores of their tags.

B: batch, T: words, C: characters of a word, K: tags.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from models.architectures.roles import Encoder
from models.entity_f1 import EntityF1
from models.layers.heads.characters import CharacterReader
from models.layers.heads.gazetteer_flags import GazetteerFlags
from models.layers.heads.tag_chain import TagChain
from models.layers.heads.token_embedding import TokenEmbedding
from models.layers.heads.unknown_words import UnknownWords
from models.layers.masks import padding_mask


class SequenceTagger(keras.Model):
    """Maps words to the scores of tags; its chain chooses among them.

    Args:
        word_embedding: vectors of words.
        characters: reads their characters; None: nothing does.
        shape_embedding: vectors of their shapes; None: there are none.
        gazetteer_flags: which lists of names they stand in; None: there are none.
        encoder: plays the encoder.
        tag_chain: chooses tags together.
        dropout: share of values dropped of what characters and shapes give, and before the scores.
        unknown_share: share of words that training reads as unknown.
        entity_f1: measures the tags that are chosen for held-out sequences.
        offsets: (K,), added to the scores of the tags when they are chosen, not when they are learned.
    """

    def __init__(
        self,
        word_embedding: TokenEmbedding,
        characters: CharacterReader | None,
        shape_embedding: keras.layers.Embedding | None,
        gazetteer_flags: GazetteerFlags | None,
        encoder: Encoder,
        tag_chain: TagChain,
        dropout: float,
        unknown_share: float,
        entity_f1: EntityF1,
        offsets: Sequence[float],
    ):
        super().__init__(name="sequence_tagger")
        self.unknown_words = UnknownWords(unknown_share, name="unknown_words")
        self.word_embedding = word_embedding
        self.characters = characters
        self.shape_embedding = shape_embedding
        self.gazetteer_flags = gazetteer_flags
        self.input_dropout = keras.layers.Dropout(dropout, name="input_dropout")
        self.encoder = encoder
        self.output_dropout = keras.layers.Dropout(dropout, name="output_dropout")
        self.emissions = keras.layers.Dense(tag_chain.num_tags, dtype="float32", name="emissions")
        self.tag_chain = tag_chain
        tag_chain.build()
        self.entity_f1 = entity_f1
        self.offsets = tuple(offsets)
        self._trains = False

    def call(self, inputs: dict[str, keras.KerasTensor], training: bool = False) -> keras.KerasTensor:
        """Scores tags.

        Args:
            inputs: `word_ids` int (B, T), 0 = padding; `character_ids` int (B, T, C), `shape_ids` and `gazetteer_bits`
                int (B, T) where the model reads them.
            training: whether dropout is active.

        Returns:
            emissions, float32 (B, T, K).
        """
        word_ids = self.unknown_words(inputs["word_ids"], training=training)
        vectors = [self.word_embedding(word_ids, training=training), *self.known_beside(inputs, training)]
        hidden_states, _ = self.encoder(ops.concatenate(vectors, axis=-1), padding_mask(word_ids), training=training)
        return self.emissions(self.output_dropout(hidden_states, training=training))

    def known_beside(self, inputs: dict[str, keras.KerasTensor], training: bool) -> list[keras.KerasTensor]:
        """What is known of words beside their vectors, float (B, T, any) each; arguments as of `call`."""
        vectors = []
        if self.characters:
            read = self.characters(inputs["character_ids"], training=training)
            vectors.append(self.input_dropout(read, training=training))
        if self.shape_embedding:
            vectors.append(self.input_dropout(self.shape_embedding(inputs["shape_ids"]), training=training))
        if self.gazetteer_flags:
            vectors.append(self.gazetteer_flags(inputs["gazetteer_bits"]))
        return vectors

    def choose(self, inputs: dict[str, keras.KerasTensor]) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """The best tags, int32 (B, T), and the probability of each, float32 (B, T); anything where padded."""
        emissions, real = self._offset(self(inputs)), padding_mask(inputs["word_ids"])
        tag_ids = self.tag_chain.best(emissions, real)
        chosen = ops.one_hot(tag_ids, self.tag_chain.num_tags, dtype="float32")
        return tag_ids, ops.sum(self.tag_chain.marginals(emissions, real) * chosen, axis=-1)

    def _offset(self, emissions: keras.KerasTensor) -> keras.KerasTensor:
        return emissions + ops.convert_to_tensor(self.offsets, "float32")

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """With a learned chain the negative log-likelihood of the sequences for each of their tags, else as compiled.

        Args:
            x: model inputs.
            y: tag ids int (B, T).
            y_pred: emissions float32 (B, T, K).
            sample_weight: float (B, T), 0 where padded, else 1.
            training: whether this is a step of training.
        """
        self._trains = training
        if not self.tag_chain.learned:
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        likelihood = self.tag_chain.log_likelihood(y_pred, y, ops.cast(sample_weight, "bool"))
        return -ops.sum(likelihood) / ops.maximum(ops.sum(ops.cast(sample_weight, "float32")), 1)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Those that are compiled; of held-out sequences `entity_f1` too, which takes a search for each of them."""
        if not self._trains:
            real = ops.cast(sample_weight, "bool")
            self.entity_f1.update_state(y, self.tag_chain.best(self._offset(y_pred), real), sample_weight)
        found = super().compute_metrics(x, y, y_pred, sample_weight)
        return {name: value for name, value in found.items() if not (self._trains and name == self.entity_f1.name)}


class PieceTagger(SequenceTagger):
    """A tagger whose encoder reads the pieces of words; a word is what it makes of the first one.

    Devlin et al. (2019, section 5.3). What is known of a word beside goes to the scores, past the encoder, which was
    trained without it.
    """

    def call(self, inputs: dict[str, keras.KerasTensor], training: bool = False) -> keras.KerasTensor:
        """Scores tags.

        Args:
            inputs: as of `SequenceTagger`, and `piece_ids` int (B, P), 0 = padding, with the position in them of the
                first piece of each word, `first_pieces` int (B, T).
            training: whether dropout is active.

        Returns:
            emissions, float32 (B, T, K).
        """
        piece_ids = inputs["piece_ids"]
        vectors = self.word_embedding(piece_ids, training=training)
        hidden_states, _ = self.encoder(vectors, padding_mask(piece_ids), training=training)
        words = ops.take_along_axis(hidden_states, ops.expand_dims(inputs["first_pieces"], -1), axis=1)
        known = ops.concatenate([words, *self.known_beside(inputs, training)], axis=-1)
        return self.emissions(self.output_dropout(known, training=training))
