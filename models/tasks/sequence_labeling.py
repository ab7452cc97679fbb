"""Each token of a text gets a tag: names, parts of speech, chunks.

B: batch, T: tokens, C: characters of a token, K: tags.
"""

from collections.abc import Mapping
from typing import Any, cast

import keras
import tensorflow as tf

from models.description import PaddedAxis
from models.entity_f1 import EntityF1
from models.layers.heads.characters import character_reader
from models.layers.heads.gazetteer_flags import GazetteerFlags
from models.layers.heads.tag_chain import TagChain, allowed_in
from models.layers.heads.token_embedding import TokenEmbedding
from models.losses import SmoothedCrossEntropy
from models.run_settings import RunSettings
from models.tasks.code import Example, TaskCode, Transformed
from models.tasks.inputs import all_of, at_least_one_position
from models.tasks.masking import framed_rows
from models.tasks.sequence_tagger import PieceTagger, SequenceTagger
from models.tasks.signatures import Endpoints, Signatures, spec
from models.tokenizers.cut_words import MOST_CHARACTERS, NUM_SHAPES, CutWords, shapes
from models.tokenizers.cutting import cut_texts, is_cut_alike
from models.tokenizers.vocabularies import Vocabularies

_OUTSIDE = "O"


class SequenceLabeling(TaskCode):
    """Tokens as the data have cut them in, a tag for each out."""

    best_by = "val_entity_f1"
    greater_is_better = True

    @property
    def transformed(self) -> Mapping[str, Transformed]:
        """What is known of each token, characters and pieces of all tokens behind each other, and the tags."""
        characters, pieces = ("num_characters", "character_ids"), ("num_pieces", "piece_ids")
        names = ("word_ids", "shape_ids", "gazetteer_bits", *characters, *pieces, "tag_ids")
        return {name: Transformed(sequence=True) for name in names}

    def preprocess(self, inputs: dict[str, Any], vocabularies: Vocabularies) -> dict[str, Any]:
        """Looks up tokens, their characters, their pieces and their tags: all sparse int64 (B, any)."""
        words = words_of(vocabularies)
        tokens, tags = (tf.RaggedTensor.from_sparse(all_of(inputs[name])) for name in ("tokens", "tags"))
        words.note(tokens.row_lengths())
        characters = words.look_up_characters(words.cut_off(tokens), MOST_CHARACTERS)
        pieces = words.look_up_pieces(words.cut_off(tokens))
        found = {
            "word_ids": words.look_up_words(words.cut_off(tokens)),
            "shape_ids": shapes(words.cut_off(tokens)),
            "gazetteer_bits": words.gazetteers.look_up(words.cut_off(tokens)),
            "num_characters": characters.row_lengths(axis=2),
            "character_ids": characters.merge_dims(1, 2),
            "num_pieces": pieces.row_lengths(axis=2),
            "piece_ids": pieces.merge_dims(1, 2),
            "tag_ids": words.cut_off(tags.with_flat_values(vocabularies.label_ids(tags.flat_values, "tags"))),
        }
        return {name: tf.cast(values, tf.int64).to_sparse() for name, values in found.items()}

    def training_example(self, features: dict[str, tf.Tensor], settings: RunSettings) -> Example:
        """Inputs of `model_inputs` without batch, tag ids int32 (T,), weights float32 (T,), 0 for none."""
        rows = {name: features[name] for name in ("word_ids", "shape_ids", "gazetteer_bits")}
        for values, lengths in (("character_ids", "num_characters"), ("piece_ids", "num_pieces")):
            rows[values] = tf.RaggedTensor.from_row_lengths(features[values], features[lengths])
        inputs = model_inputs({name: tf.expand_dims(values, 0) for name, values in rows.items()}, settings)
        labels = at_least_one_position(features["tag_ids"])
        real = tf.cast(inputs["word_ids"][0] > 0, tf.float32)
        return {name: value[0] for name, value in inputs.items()}, labels, real

    def build(self, settings: RunSettings, vocabularies: Vocabularies) -> SequenceTagger:
        """A model from what `model_inputs` gives to emissions, float32 (B, T, K)."""
        words, sizes, labeling = words_of(vocabularies), settings.model, settings.labeling
        size = words.parts.vocabulary_size if words.parts else words.vocabulary_size
        embedding = TokenEmbedding(size, sizes.embedding_dim, sizes.dropout, sizes.token_dropout, name="word_embedding")
        shape_embedding = None
        if labeling.shape_dim:
            shape_embedding = keras.layers.Embedding(NUM_SHAPES + 1, labeling.shape_dim, name="shape_embedding")
        model = (PieceTagger if settings.training.init_from else SequenceTagger)(
            embedding,
            character_reader(labeling.characters, len(words.characters), sizes.dropout, labeling),
            shape_embedding,
            GazetteerFlags(len(labeling.gazetteers), name="gazetteer_flags") if labeling.gazetteers else None,
            self.play("encoder", settings),
            TagChain(allowed_in(vocabularies.categories["tags"]), labeling.crf, name="tag_chain"),
            sizes.dropout,
            labeling.unknown_share,
            EntityF1(vocabularies.categories["tags"]),
            [-labeling.outside_penalty * (tag == _OUTSIDE) for tag in vocabularies.categories["tags"]],
        )
        inputs = model_inputs(word_inputs(tf.ragged.constant([["a"]]), words), settings)
        model(inputs)  # makes the weights
        return model

    def token_embeddings(self, model: keras.Model) -> dict[str, TokenEmbedding]:
        """That of the words, or of their pieces."""
        return {"tokens": model.get_layer("word_embedding")}

    def compile_arguments(self, settings: RunSettings) -> dict[str, Any]:
        """Cross-entropy and accuracy of tags; of a chain the model knows the loss, and no tag is right by itself."""
        if settings.labeling.crf:
            return {}
        return {
            "loss": SmoothedCrossEntropy(settings.training.label_smoothing),
            "weighted_metrics": [keras.metrics.SparseCategoricalAccuracy(name="token_accuracy")],
        }

    def signatures(
        self, model: keras.Model, vocabularies: Vocabularies, settings: RunSettings
    ) -> "SequenceLabelingSignatures":
        """Text in, tokens and tags out."""
        return SequenceLabelingSignatures(model, vocabularies, settings, self.task.request_settings)


def words_of(vocabularies: Vocabularies) -> CutWords:
    """What looks up the tokens."""
    return cast(CutWords, vocabularies.tokenizer("tokens"))


def word_inputs(tokens: tf.RaggedTensor, words: CutWords) -> dict[str, tf.RaggedTensor]:
    """Tokens, string ragged (B, T), as `model_inputs` wants them."""
    return {
        "word_ids": words.look_up_words(tokens),
        "shape_ids": shapes(tokens),
        "gazetteer_bits": words.gazetteers.look_up(tokens),
        "character_ids": words.look_up_characters(tokens, MOST_CHARACTERS),
        "piece_ids": words.look_up_pieces(tokens),
    }


def model_inputs(rows: Mapping[str, tf.Tensor | tf.RaggedTensor], settings: RunSettings) -> dict[str, tf.Tensor]:
    """What the model reads in training and serving, int32, padded with 0, with one position at least.

    Args:
        rows: `word_ids`, `shape_ids` and `gazetteer_bits` (B, T), ragged or not; `character_ids` ragged (B, T, C),
            `piece_ids` ragged (B, T, P).
        settings: say which of them it reads.

    Returns:
        dict of the same names; in place of the pieces of words, where it reads those, what `piece_inputs` gives.
    """
    labeling = settings.labeling
    read = {
        "word_ids": True,
        "shape_ids": labeling.shape_dim > 0,
        "gazetteer_bits": bool(labeling.gazetteers),
        "character_ids": labeling.characters != "none",
    }
    inputs = {}
    for name in (name for name, wanted in read.items() if wanted):
        values = rows[name]
        if name == "character_ids":
            values = at_least_one_position(values[:, :, : labeling.max_word_length].to_tensor())
        padded = values.to_tensor() if isinstance(values, tf.RaggedTensor) else values
        inputs[name] = at_least_one_position(padded, axis=1)
    return inputs | (piece_inputs(rows["piece_ids"]) if settings.training.init_from else {})


def piece_inputs(pieces: tf.RaggedTensor) -> dict[str, tf.Tensor]:
    """Where the pieces of words stand in what an encoder of masked language modelling reads.

    Args:
        pieces: int32 ragged (B, T, P).

    Returns:
        `piece_ids` int32 (B, any), those of all words behind each other, with the marks around them; `first_pieces`
        int32 (B, T), the position of the first one of each word. A word without any, such as one of control characters,
        has that of what follows it.
    """
    lengths = tf.cast(at_least_one_position(pieces.row_lengths(axis=2).to_tensor()), tf.int32)
    token_ids = framed_rows(pieces.merge_dims(1, 2))
    return {"piece_ids": token_ids.to_tensor(), "first_pieces": tf.cumsum(lengths, axis=1, exclusive=True) + 1}


class SequenceLabelingSignatures(Signatures):
    """Text in, tokens and tags out; the model is a `SequenceTagger`."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        # Traced once for all signatures.
        self._tag = tf.function(self._tags_of, input_signature=[tf.TensorSpec([None, None], tf.string)])

    def endpoints(self) -> Endpoints:
        """Texts as people write them, tokens that are cut already, and those of serialized examples."""
        tokens = tf.TensorSpec([None, None], tf.string, name="tokens")
        return {
            "serving_default": (self.predict, [spec("text")]),
            "pretokenized": (self.predict_tokens, [tokens]),
            "examples": (self.examples, [spec("examples")]),
        }

    def padded_axes(self) -> dict[str, list[PaddedAxis]]:
        """The tokens of a text; one without any has one that is padding."""
        outputs = dict.fromkeys(("tokens", "tags", "scores"), 1)
        cut_already = PaddedAxis(outputs=outputs, told_by="tokens", padding="", least=1)
        cut_here = PaddedAxis(outputs={**outputs, "starts": 1, "ends": 1}, told_by="tokens", padding="", least=1)
        return {"serving_default": [cut_here], "pretokenized": [cut_already], "examples": [cut_already]}

    def predict(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Cuts texts and tags their tokens.

        Args:
            text: string (B,).

        Returns:
            what `predict_tokens` returns, and `starts` and `ends`, int32 (B, T): the bytes of the UTF-8 text between
            which a token stands, the end not included; 0 where padded.
        """
        words = words_of(self.vocabularies)
        tokens, starts, ends = map(words.cut_off, cut_texts(text, self.settings.labeling.cut))
        places = {"starts": starts, "ends": ends}
        answer = self._tagged(tokens)
        return answer | {name: at_least_one_position(values.to_tensor()) for name, values in places.items()}

    def predict_tokens(self, tokens: tf.Tensor) -> dict[str, tf.Tensor]:
        """Tags tokens.

        Args:
            tokens: string (B, T), "" behind the last one of a row.

        Returns:
            `tokens` and `tags` string (B, T), "" where padded, and `scores` float32 (B, T), the probability of each tag
            given the text, 0 where padded.
        """
        return self._tagged(words_of(self.vocabularies).cut_off(tf.RaggedTensor.from_tensor(tokens, padding="")))

    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized raw tf.Example string (B,) to what `predict_tokens` returns, and `same_cut`.

        `same_cut`, float32 (B,), is 1 where the serving rule cuts the tokens, joined with blanks, into the same again.
        """
        tokens = tf.io.parse_example(examples, {"tokens": tf.io.RaggedFeature(tf.string)})["tokens"]
        alike = is_cut_alike(tokens, self.settings.labeling.cut)
        answer = self._tagged(words_of(self.vocabularies).cut_off(tokens))
        return answer | {"same_cut": tf.cast(alike, tf.float32)}

    def _tagged(self, tokens: tf.RaggedTensor) -> dict[str, tf.Tensor]:
        """String ragged (B, T) to what `predict_tokens` returns."""
        padded = at_least_one_position(tokens.to_tensor())
        tags, scores = self._tag(padded)
        return {"tokens": padded, "tags": tags, "scores": scores}

    def _tags_of(self, tokens: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """String (B, T) to tags, string (B, T), and scores, float32 (B, T)."""
        words = words_of(self.vocabularies)
        inputs = model_inputs(word_inputs(tf.RaggedTensor.from_tensor(tokens, padding=""), words), self.settings)
        tag_ids, scores = self.model.choose(inputs)
        tags = tf.gather(tf.constant(self.vocabularies.categories["tags"]), tag_ids)
        real = tokens != ""
        return tf.where(real, tags, ""), tf.where(real, scores, 0.0)


CODE = SequenceLabeling
