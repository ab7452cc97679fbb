"""Texts with holes: the hidden pieces are guessed from both sides, and whether one part follows another.

Devlin et al. (2019, section 3.1): masked language modelling and next-sentence prediction. B: batch, T: tokens.
"""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models.errors import SeqlineError
from models.layers.heads.masked_tokens import MaskedTokens, NextSentence
from models.layers.heads.token_embedding import TokenEmbedding
from models.left_files import TOKEN_VECTORS
from models.losses import SmoothedCrossEntropy
from models.masking_settings import MaskingSettings
from models.run_settings import RunSettings
from models.tasks.code import Example, TaskCode, Transformed
from models.tasks.documents import Documents, read_documents, room_of, stretches_of
from models.tasks.inputs import first_values
from models.tasks.language_model import Perplexity
from models.tasks.masked_language_model import MaskedLanguageModel
from models.tasks.masked_language_modeling_signatures import MaskedLanguageModelingSignatures
from models.tasks.masking import alone, draw_masks, draw_pair, mask_token_id
from models.tokenizers.vocabularies import Vocabularies

_PARTS = ("token_ids", "sentence_lengths", "other_ids", "other_lengths")


@dataclasses.dataclass(frozen=True)
class _Draws:
    """What is drawn by: settings, pieces of the vocabulary, and the room of both parts of a text."""

    masking: MaskingSettings
    vocabulary_size: int
    room: int


class MaskedLanguageModeling(TaskCode):
    """Documents in, guesses of what is hidden out."""

    # Known where the run is.
    draws: _Draws | None = None

    @property
    def transformed(self) -> Mapping[str, Transformed]:
        """Tokens of a document and the lengths of its sentences, and the same of another document."""
        return {name: Transformed(sequence=True) for name in _PARTS}

    def preprocess(self, inputs: dict[str, Any], vocabularies: Vocabularies) -> dict[str, Any]:
        """Cuts `text` and `elsewhere` into sentences and tokens: sparse int64 (B, any) all."""
        # Not by a tokenizer that counts: it would count sentences.
        tokenizer = vocabularies.tokenizers["text"]
        text, other = (read_documents(first_values(inputs[name]), tokenizer) for name in ("text", "elsewhere"))
        vocabularies.tokenizer("text").note(text.token_ids.row_lengths())
        found = zip(_PARTS, (*text, *other), strict=True)
        return {name: tf.cast(values, tf.int64).to_sparse() for name, values in found}

    def cuts_texts(self, settings: RunSettings) -> bool:
        """False: a long document is read in several stretches."""
        return False

    def training_examples(self, features: tf.data.Dataset, settings: RunSettings) -> tf.data.Dataset:
        """Stretches of the documents, each with one of another document; until `each_epoch` draws, nothing is asked."""
        room = room_of(settings.tokenizer)

        def cut(document: dict[str, tf.Tensor]) -> tf.data.Dataset:
            own = stretches_of(document["token_ids"], document["sentence_lengths"], room)
            other = stretches_of(document["other_ids"], document["other_lengths"], room)
            beside = [_in_turn(each, own.token_ids.nrows()) for each in other]
            return tf.data.Dataset.from_tensor_slices(dict(zip(_PARTS, (*own, *beside), strict=True)))

        return features.flat_map(cut).map(lambda parts: (parts, tf.constant(0), tf.constant(1.0)))

    def keep(self, examples: tf.data.Dataset, settings: RunSettings, folder: str) -> tf.data.Dataset:
        """As any other task; refuses documents of which nothing can be learned.

        Raises:
            SeqlineError: two parts are wanted, and no document has two sentences.
        """
        kept = super().keep(examples, settings, folder)
        pairs = kept.filter(lambda parts, *_: tf.size(parts["sentence_lengths"]) > 1).take(1)
        if settings.masking.next_sentence and not list(pairs):
            raise SeqlineError(
                "masking.next_sentence needs documents of several sentences. Received: none with more than one in a "
                "split. Set masking.next_sentence: false, or give documents (docs/data.md: documents of sentences)."
            )
        return kept

    def for_run(self, settings: RunSettings, vocabularies: Vocabularies) -> "MaskedLanguageModeling":
        """Learns what is drawn by."""
        code = MaskedLanguageModeling(self.task)
        tokenizer = vocabularies.tokenizer("text")
        code.draws = _Draws(settings.masking, tokenizer.vocabulary_size, room_of(settings.tokenizer))
        return code

    def each_epoch(self, example: Example, seed: tf.Tensor) -> Example:
        """Draws the two parts and what is hidden: `models.tasks.masking`."""
        if self.draws is None:
            return example
        parts = example[0]
        own, other = Documents(*(parts[name] for name in _PARTS[:2])), Documents(*(parts[name] for name in _PARTS[2:]))
        seeds = tf.random.experimental.stateless_split(seed, 2)
        masking = self.draws.masking
        pair = draw_pair(own, other, self.draws.room, seeds[0]) if masking.next_sentence else alone(own)
        inputs, *judged = draw_masks(pair, masking, self.draws.vocabulary_size, seeds[1])
        labels, weights = ({name: each[name] for name in _outputs(masking)} for each in judged)
        return inputs, labels, weights

    def build(self, settings: RunSettings, vocabularies: Vocabularies) -> MaskedLanguageModel:
        """A model from the inputs of `draw_masks` to the scores of pieces and of two parts."""
        size, sizes = vocabularies.tokenizer("text").vocabulary_size, settings.model
        tokens = mask_token_id(size) + 1
        embedding = TokenEmbedding(
            tokens, sizes.embedding_dim, sizes.dropout, sizes.token_dropout, name="token_embedding"
        )
        next_sentence = NextSentence(sizes.dropout, name="next_sentence") if settings.masking.next_sentence else None
        model = MaskedLanguageModel(
            embedding,
            keras.layers.Embedding(2, sizes.embedding_dim, name="segment_embedding"),
            self.play("encoder", settings),
            MaskedTokens(size, sizes.embedding_dim, embedding, name="masked_tokens"),
            next_sentence,
        )
        nothing = keras.ops.ones((1, 1), dtype="int32")
        model({"token_ids": nothing, "segment_ids": nothing - 1, "positions": nothing - 1})  # makes the weights
        return model

    def compile_arguments(self, settings: RunSettings) -> dict[str, Any]:
        """Cross-entropy over what is hidden, and of two parts; their sum is the loss."""
        smoothing = settings.training.label_smoothing
        losses = {"masked": SmoothedCrossEntropy(smoothing), "next": SmoothedCrossEntropy()}
        metrics = {
            "masked": [keras.metrics.SparseCategoricalAccuracy(name="accuracy"), Perplexity()],
            "next": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        }
        names = _outputs(settings.masking)
        return {
            "loss": {name: losses[name] for name in names},
            "weighted_metrics": {name: metrics[name] for name in names},
        }

    def signatures(
        self, model: keras.Model, vocabularies: Vocabularies, settings: RunSettings
    ) -> MaskedLanguageModelingSignatures:
        """Texts with holes in, candidates out; vectors of texts."""
        return MaskedLanguageModelingSignatures(model, vocabularies, settings, self.task.request_settings)

    def leave(self, model: keras.Model, vocabularies: Vocabularies, folder: pathlib.Path) -> list[pathlib.Path]:
        """Writes the vectors of the pieces, each with that of the first segment, for models that have no segments."""
        size, file = vocabularies.tokenizer("text").vocabulary_size, folder / TOKEN_VECTORS
        tables = (model.get_layer(name).weights[0] for name in ("token_embedding", "segment_embedding"))
        tokens, segments = map(keras.ops.convert_to_numpy, tables)
        np.save(file, tokens[:size] + segments[0])
        return [file]


def _outputs(masking: MaskingSettings) -> tuple[str, ...]:
    return ("masked", "next") if masking.next_sentence else ("masked",)


def _in_turn(stretches: tf.RaggedTensor, number: tf.Tensor) -> tf.RaggedTensor:
    """So many rows, the stretches one after the other, again and again; empty ones where there are none."""
    others = stretches.nrows()
    blank = tf.RaggedTensor.from_row_lengths(tf.zeros([0], tf.int32), tf.zeros([1], tf.int32))
    return tf.gather(tf.concat([stretches, blank], axis=0), tf.range(number) % tf.maximum(others, 1))


CODE = MaskedLanguageModeling
