"""What an exported masked language model answers.

B: batch, T: tokens, M: holes of a text, K: candidates for each, P: pieces that are guessed, H: width of a vector.
"""

import keras
import tensorflow as tf

from models.description import PaddedAxis
from models.layers.masks import MASKED_SCORE
from models.tasks.documents import Documents, read_documents, room_of
from models.tasks.inputs import at_least_one_position
from models.tasks.masking import FOLLOWS, alone, draw_masks, draw_pair, framed_rows, mask_token_id
from models.tasks.signatures import Endpoints, Signatures, spec
from models.tokenizers.special import SPECIAL_TOKENS
from models.tokenizers.tokenizer import Tokenizer
from models.tokenizers.word import replace_rows

HOLE = "[MASK]"
MOST_CANDIDATES = 10


class MaskedLanguageModelingSignatures(Signatures):
    """Texts with holes in, candidates out; texts in, vectors out; the model is a `MaskedLanguageModel`."""

    def endpoints(self) -> Endpoints:
        """Candidates for holes, vectors, and how well the model guesses what is hidden of raw examples."""
        return {
            "serving_default": (self.predict, [spec("text")]),
            "embed": (self.embed, [spec("text")]),
            "examples": (self.examples, [spec("examples")]),
        }

    def padded_axes(self) -> dict[str, list[PaddedAxis]]:
        """The holes of a text, and the hidden pieces; a text without any has one that is padding."""
        holes = PaddedAxis(outputs={"candidates": 1, "scores": 1}, told_by="candidates", padding="", least=1)
        pieces = PaddedAxis(outputs={"pieces": 1}, told_by="pieces", padding="")
        hidden = PaddedAxis(
            outputs=dict.fromkeys(("hidden", "positions", "probabilities"), 1), told_by="hidden", padding="", least=1
        )
        return {"serving_default": [holes], "examples": [pieces, hidden]}

    @property
    def _tokenizer(self) -> Tokenizer:
        return self.vocabularies.tokenizer("text")

    @property
    def _mask(self) -> int:
        return mask_token_id(self._tokenizer.vocabulary_size)

    def predict(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Fills holes.

        Args:
            text: string (B,), with `[MASK]` in the place of each piece that is asked for. A text of too many tokens is
                read up to its limit; holes beyond stay.

        Returns:
            `text` string (B,), what was asked with the best candidate in each hole; `candidates` string (B, M, K), most
            probable first, "" where a text has fewer holes; `scores` float32 (B, M, K), their probabilities among all
            pieces.
        """
        token_ids = self._framed(text)
        holes = tf.cast(tf.ragged.boolean_mask(_places(token_ids), token_ids == self._mask), tf.int32)
        positions = at_least_one_position(holes.to_tensor())
        logits = self._scores(token_ids.to_tensor(), positions)["masked"]
        special = tf.range(tf.shape(logits)[-1]) < len(SPECIAL_TOKENS)
        probabilities = tf.nn.softmax(tf.where(special, MASKED_SCORE, logits))
        count = min(MOST_CANDIDATES, self._tokenizer.vocabulary_size - len(SPECIAL_TOKENS))
        scores, ids = tf.math.top_k(probabilities, count)
        # Position 0 is [START], which is no hole.
        real = (positions > 0)[:, :, tf.newaxis]
        candidates = tf.where(real, self._as_text(ids), "")
        return {
            "text": _filled(text, candidates[:, :, 0], holes.row_lengths()),
            "candidates": candidates,
            "scores": tf.where(real, scores, 0.0),
        }

    def embed(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """String (B,) to `vector`, float32 (B, H), the mean over the tokens and the marks around them, of length 1."""
        return {"vector": self.model.embed(self._framed(text).to_tensor())}

    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """How well the model guesses what is hidden of raw examples; what that is depends on text and seed alone.

        Of a long document the beginning.

        Args:
            examples: serialized raw tf.Example string (B,).

        Returns:
            `log_prob` float32 (B,), natural logarithm, of the `num_units` hidden pieces, and `num_right` of them
            guessed, float32 (B,); `pieces` string (B, T), as the model saw them, "" where padded; `hidden` string
            (B, P), those that stood there, "" where padded, with `positions` int32 (B, P) and `probabilities` float32
            (B, P); `num_next` float32 (B,), 1 where two parts were shown, `next_right`, 1 where the model told rightly
            whether one follows the other, and `follows` string (B,), "yes", "no", or "" where there is one part.
        """
        features = {"text": tf.io.FixedLenFeature([], tf.string), "elsewhere": tf.io.FixedLenFeature([], tf.string, "")}
        parsed = tf.io.parse_example(examples, features)
        inputs, labels, weights, is_pair, follows = self._drawn(parsed["text"], parsed["elsewhere"])
        scores = self.model(inputs)
        log_probs = -keras.ops.sparse_categorical_crossentropy(labels, scores["masked"], from_logits=True)
        right = tf.argmax(scores["masked"], axis=-1, output_type=tf.int32) == labels
        told = tf.argmax(scores["next"], axis=-1, output_type=tf.int32) if "next" in scores else tf.zeros_like(follows)
        return {
            "log_prob": tf.reduce_sum(log_probs * weights, axis=1),
            "num_units": tf.reduce_sum(weights, axis=1),
            "num_right": tf.reduce_sum(tf.cast(right, tf.float32) * weights, axis=1),
            "pieces": self._as_seen(inputs["token_ids"]),
            "hidden": self._as_seen(labels),
            "positions": inputs["positions"],
            "probabilities": tf.exp(log_probs) * weights,
            "num_next": tf.cast(is_pair, tf.float32),
            "next_right": tf.cast(is_pair & (told == follows), tf.float32),
            "follows": tf.where(is_pair, tf.where(follows == FOLLOWS, "yes", "no"), ""),
        }

    def _drawn(
        self, text: tf.Tensor, elsewhere: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Inputs of the model, padded; hidden pieces and weights (B, P); whether there are two parts, which follow."""
        masking, room = self.settings.masking, room_of(self.settings.tokenizer)
        size = self._tokenizer.vocabulary_size

        def draw(row: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
            own, other = (_beginning(Documents(*row[place : place + 2]), room) for place in (0, 2))
            seeds = tf.random.experimental.stateless_split(tf.stack([row[4], self.settings.seed]), 2)
            pair = draw_pair(own, other, room, seeds[0]) if masking.next_sentence else alone(own)
            inputs, labels, weights = draw_masks(pair, masking, size, seeds[1])
            return *inputs.values(), labels["masked"], weights["masked"], pair.is_pair, pair.follows

        documents = [*read_documents(text, self._tokenizer), *read_documents(elsewhere, self._tokenizer)]
        seeds = tf.strings.to_hash_bucket_fast(text, 2**31 - 1)
        ragged = [tf.RaggedTensorSpec([None], dtype, 0) for dtype in (*[tf.int32] * 4, tf.float32)]
        scalars = [tf.TensorSpec([], dtype) for dtype in (tf.bool, tf.int32)]
        # Row by row, each by its own length: what is drawn does not depend on batch-mates.
        *drawn, is_pair, follows = tf.map_fn(draw, (*documents, seeds), fn_output_signature=(*ragged, *scalars))
        token_ids, segment_ids, positions, labels, weights = (at_least_one_position(each.to_tensor()) for each in drawn)
        inputs = {"token_ids": token_ids, "segment_ids": segment_ids, "positions": positions}
        return inputs, labels, weights, is_pair, follows

    def _framed(self, text: tf.Tensor) -> tf.RaggedTensor:
        """Tokens of texts with holes, with the marks around them: ragged int32 (B, T)."""
        parts = tf.strings.split(text, HOLE)
        flat = parts.flat_values
        # As one text is cut: without a blank between them, a part goes on behind its hole.
        begins = tf.ragged.range(parts.row_lengths()).flat_values == 0
        goes_on = ~begins & ~tf.strings.regex_full_match(flat, r"(?s)[\s\p{Z}].*")
        behind = self._tokenizer.tokenize_behind(tf.boolean_mask(flat, goes_on))
        token_ids = replace_rows(self._tokenizer.tokenize_whole(flat), goes_on, behind)
        holes = tf.fill([token_ids.nrows(), 1], self._mask)
        # A hole behind each part but the last.
        joined = parts.with_flat_values(tf.concat([token_ids, holes], axis=1)).merge_dims(1, 2)[:, :-1]
        room = max(1, self.settings.tokenizer.max_sequence_length - 2)
        return framed_rows(joined[:, :room])

    def _scores(self, token_ids: tf.Tensor, positions: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.model({"token_ids": token_ids, "segment_ids": tf.zeros_like(token_ids), "positions": positions})

    def _as_text(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Each piece by itself as it stands in a text: int32 of any shape to string."""
        known = self._tokenizer.detokenize(
            tf.RaggedTensor.from_tensor(tf.range(self._tokenizer.vocabulary_size)[:, None])
        )
        return tf.gather(known, token_ids)

    def _as_seen(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Pieces as the model sees them, "" for padding: int32 of any shape to string."""
        return tf.where(token_ids == self._mask, HOLE, self._tokenizer.look_up(tf.minimum(token_ids, self._mask - 1)))


def _places(token_ids: tf.RaggedTensor) -> tf.RaggedTensor:
    """The position of each token: ragged int64 (B, T)."""
    return tf.ragged.range(token_ids.row_lengths())


def _beginning(document: Documents, room: int) -> Documents:
    """The first stretch of one document, as `stretches_of` cuts it."""
    ends = tf.cumsum(document.sentence_lengths)
    lengths = tf.boolean_mask(document.sentence_lengths, ends <= room)
    return Documents(document.token_ids[: tf.reduce_sum(lengths)], lengths)


def _filled(text: tf.Tensor, best: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """Puts what is best, string (B, M), into holes of texts, string (B,), into the first `number` (B,) of each."""
    parts = tf.strings.split(text, HOLE)
    # In the hole behind each part stands a candidate, the hole itself where none was asked for, or nothing at the end.
    holes = tf.expand_dims(parts.row_lengths() - 1, 1)
    padded = parts.to_tensor()
    places = tf.range(tf.shape(padded, tf.int64)[1])
    candidates = tf.pad(best, [[0, 0], [0, tf.maximum(tf.shape(padded)[1] - tf.shape(best)[1], 0)]], constant_values="")
    candidates = candidates[:, : tf.shape(padded)[1]]
    behind = tf.where(places < tf.expand_dims(number, 1), candidates, tf.where(places < holes, HOLE, ""))
    return tf.strings.reduce_join(tf.strings.join([padded, behind]), axis=1)
