"""Vectors of words, learned from the words around them.

B: batch, T: words of a row, R: blocks of a row (`models.layers.word_neighbours`), M: noise words of a block.
"""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from models.errors import SeqlineError
from models.input_pipeline import rows_of
from models.layers.word_neighbours import BLOCK
from models.run_settings import RunSettings
from models.tasks.code import Example, TaskCode, Transformed
from models.tasks.inputs import at_least_one_position, first_values
from models.tasks.word_embedding_signatures import WordEmbeddingSignatures
from models.tokenizers.vocabularies import Vocabularies
from models.words.files import write_binary, write_projector, write_text
from models.words.sampling import draw_noise, draw_radii, kept_shares, leave_out, noise_probabilities
from models.words.vocabulary import Words

FEATURE = "text"
# Words of a row. Texts are laid end to end: a row for each would be mostly padding, and what is drawn for a row costs
# more by the row than by the word.
ROW = 1024
# Noise words that the predictions of a block share; the number changes the scatter of the gradient, not its mean.
_NOISE = 8
# Texts that are laid end to end at once.
_TEXTS = 256
_INPUTS = ("word_ids", "text_ids", "radii", "noise_ids")


@dataclasses.dataclass(frozen=True)
class _Draws:
    """What is drawn by.

    Attributes:
        window: words at most that a word looks at on each side.
        kept: of `kept_shares`.
        noise: of `noise_probabilities`.
    """

    window: int
    kept: np.ndarray
    noise: np.ndarray


class WordEmbedding(TaskCode):
    """Words in, the loss of predicting their neighbours out."""

    # Known where the run is.
    draws: _Draws | None = None

    @property
    def transformed(self) -> Mapping[str, Transformed]:
        """Known words."""
        return {"word_ids": Transformed(sequence=True)}

    def preprocess(self, inputs: dict[str, Any], vocabularies: Vocabularies) -> dict[str, Any]:
        """Cuts `text` into `word_ids`, sparse int64 (B, T); as in the authors' program unknown words leave no gap."""
        words = Words.of(vocabularies, FEATURE)
        cut = words.cut(first_values(inputs[FEATURE]))
        ids = cut.with_flat_values(words.ids(cut.flat_values))
        return {"word_ids": tf.cast(tf.ragged.boolean_mask(ids, ids > 0), tf.int64).to_sparse()}

    def training_examples(self, features: tf.data.Dataset, settings: RunSettings) -> tf.data.Dataset:
        """Rows of 1,024 words of texts that follow each other; of each word is known from which text it is.

        Until `each_epoch` draws, all words stay and look as far as `window` allows.
        """
        # Nothing is mapped text by text: that takes longer than all the rest.
        texts = features.padded_batch(_TEXTS).enumerate()
        joined = texts.map(lambda number, each: _end_to_end(each["word_ids"], number * _TEXTS))
        rows = joined.rebatch(ROW)
        return rows.map(lambda ids, number: self._example(ids, number, settings), num_parallel_calls=tf.data.AUTOTUNE)

    def _example(self, word_ids: tf.Tensor, text_numbers: tf.Tensor, settings: RunSettings) -> Example:
        inputs = {
            "word_ids": word_ids,
            "text_ids": tf.cast(text_numbers - text_numbers[0], tf.int32),
            "radii": tf.fill(tf.shape(word_ids), settings.model.window),
            # Any known word of each block will do until noise is drawn.
            "noise_ids": word_ids[::BLOCK],
        }
        return inputs, tf.constant([0.0]), tf.constant(1.0)

    def for_run(self, settings: RunSettings, vocabularies: Vocabularies) -> "WordEmbedding":
        """Learns how often each word stands in the texts."""
        code = WordEmbedding(self.task)
        counts, model = Words.of(vocabularies, FEATURE).counts, settings.model
        code.draws = _Draws(
            model.window, kept_shares(counts, model.subsampling), noise_probabilities(counts, model.noise_exponent)
        )
        return code

    def each_epoch(self, example: Example, seed: tf.Tensor) -> Example:
        """Draws which frequent words are left out, how far each word looks, and the noise words."""
        if self.draws is None:
            return example
        inputs, labels, weights = example
        seeds = tf.random.experimental.stateless_split(seed, 3)
        stay = leave_out(inputs["word_ids"], self.draws.kept, seeds[0])
        radii = draw_radii(tf.shape(stay), self.draws.window, seeds[1])
        # Together: each operation on a row costs more than its words.
        places = tf.stack([inputs["word_ids"], inputs["text_ids"], radii])
        word_ids, text_ids, radii = tf.unstack(at_least_one_position(tf.boolean_mask(places, stay, axis=1)), 3)
        blocks = (tf.size(word_ids) + BLOCK - 1) // BLOCK
        noise_ids = draw_noise(self.draws.noise, blocks * _NOISE, seeds[2])
        drawn = {"word_ids": word_ids, "text_ids": text_ids, "radii": radii, "noise_ids": noise_ids}
        return drawn, labels, weights

    def batches(
        self, examples: tf.data.Dataset, batch_size: int, boundaries: list[int], batch_tokens: int = 0
    ) -> tf.data.Dataset:
        """Rows as they come: they are of about the same length."""
        return examples.padded_batch(rows_of(ROW, batch_size, batch_tokens))

    def build(self, settings: RunSettings, vocabularies: Vocabularies) -> keras.Model:
        """A model from the inputs of `each_epoch` to its loss for a prediction, as `_LossOfPredictions` says."""
        num_words = len(Words.of(vocabularies, FEATURE).names)
        if not num_words:
            raise SeqlineError(
                "Vectors are learned of words that stand in the train split tokenizer.minimum_count times or more. "
                f"Received: no such word, for minimum_count {settings.tokenizer.minimum_count}. Lower it."
            )
        word_vectors = self.play("word_vectors", settings, num_words=num_words)
        inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in _INPUTS}
        loss, predictions = word_vectors(**inputs)
        return keras.Model(inputs, _LossOfPredictions(name="loss")(loss, predictions), name="word_embedding")

    def compile_arguments(self, settings: RunSettings) -> dict[str, Any]:
        """The model's output is the loss."""
        return {"loss": _Given()}

    def signatures(
        self, model: keras.Model, vocabularies: Vocabularies, settings: RunSettings
    ) -> WordEmbeddingSignatures:
        """Words in, vectors, neighbours and analogies out."""
        return WordEmbeddingSignatures(model, vocabularies, settings, self.task.request_settings)

    def leave(self, model: keras.Model, vocabularies: Vocabularies, folder: pathlib.Path) -> list[pathlib.Path]:
        """The vectors as files for other programs: word2vec's text and binary form, and TensorBoard's projector."""
        vectors = np.asarray(model.get_layer("word_vectors").vectors.embeddings)[1:]
        names = Words.of(vocabularies, FEATURE).names
        files = [folder / "word2vec.txt", folder / "word2vec.bin"]
        write_text(names, vectors, files[0])
        write_binary(names, vectors, files[1])
        return files + write_projector(names, vectors, folder)


def _end_to_end(word_ids: tf.Tensor, first: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Texts int32 (B, T), padded with 0, numbered from `first` on, to all their words and the text of each, (any,)."""
    places = tf.where(word_ids > 0)
    return tf.gather_nd(word_ids, places), first + places[:, 0]


class _LossOfPredictions(keras.layers.Layer):
    """The loss of each row for a prediction of the batch: both float (B,) to (B, 1), whose mean is loss / predictions.

    So each prediction counts the same, in a long row and in a short one.
    """

    def call(self, loss: keras.KerasTensor, predictions: keras.KerasTensor) -> keras.KerasTensor:
        predictions_of_a_row = ops.maximum(ops.mean(predictions), 1e-6)
        return ops.expand_dims(loss / predictions_of_a_row, 1)


class _Given(keras.losses.Loss):
    """What the model gives is the loss."""

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        return ops.squeeze(y_pred, -1)


CODE = WordEmbedding
