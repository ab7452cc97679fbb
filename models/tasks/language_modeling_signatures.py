"""What an exported language model answers.

B: batch, T: tokens, P: tokens of a prompt, L: tokens drawn.
"""

import functools

import keras
import tensorflow as tf

from models.decoding.sampling import Prompt, SamplingSettings, sample
from models.decoding.settings import MOST_TOKENS
from models.description import PaddedAxis, Streaming
from models.tasks.continuations import is_stopped, text_and_reason, text_behind
from models.tasks.inputs import at_least_one_position
from models.tasks.signatures import Endpoints, Signatures, spec
from models.tasks.text_streams import TextStreams
from models.tokenizers.special import END_TOKEN_ID, PAD_TOKEN_ID, START_TOKEN_ID
from models.tokenizers.tokenizer import Tokenizer

# Rows that are scored at once: the logits of a long text alone may take hundreds of megabytes.
_ROWS_AT_ONCE = 16


class LanguageModelingSignatures(Signatures):
    """Prompts in, texts out; texts in, probabilities out; the model is a `LanguageModel`."""

    def endpoints(self) -> Endpoints:
        """A continuation, with settings for each request, and step by step; scores of texts, and of raw examples."""
        return {
            "serving_default": (self.predict, [spec("prompt")]),
            "generate": (self.generate, [spec("prompt"), *self.request_specs()]),
            "score": (self.score, [spec("text")]),
            "examples": (self.examples, [spec("examples")]),
            "prefill": (self.prefill, [spec("prompt"), *self.request_specs()]),
            "step": (self._streams.step, self._streams.specs),
        }

    @functools.cached_property
    def _streams(self) -> TextStreams:
        return TextStreams(self.model, self._tokenizer, self.request_settings)

    @property
    def _tokenizer(self) -> Tokenizer:
        return self.vocabularies.tokenizer("text")

    def predict(self, prompt: tf.Tensor) -> dict[str, tf.Tensor]:
        """As `generate`, with the settings of the configuration."""
        return self.generate(prompt, *self.defaults(tf.size(prompt)))

    def generate(
        self,
        prompt: tf.Tensor,
        temperature: tf.Tensor,
        top_k: tf.Tensor,
        top_p: tf.Tensor,
        max_length: tf.Tensor,
        seed: tf.Tensor,
        stop: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Goes on from prompts.

        Args:
            prompt: string (B,); may be empty. Of a very long one the last 1,024 tokens are read.
            temperature: float32 (B,); as the others up to `seed` see `models.decoding.sampling.SamplingSettings`.
            top_k: int32 (B,).
            top_p: float32 (B,).
            max_length: int32 (B,), tokens drawn at most, the end token among them.
            seed: int32 (B,); the same request has the same answer, whatever is asked beside it.
            stop: string (B,), stop strings with U+001F between them; see `models.decoding.stop_strings`. They are
                looked for in the text that is drawn, as it is decoded, not in the prompt.

        Returns:
            `text` string (B,), what follows the prompt, without end token and stop string, of whole characters only;
            `score` float32 (B,), the mean natural log probability of a token drawn, as `sample` says; `reason` string
            (B,), why it ends: "end" (the model ended it), "stop" or "length".
        """
        temperature, top_k, top_p, max_length, seed, stop = self.within_limits(
            temperature, top_k, top_p, max_length, seed, stop
        )
        prompts = self._tokenizer.tokenize_whole(prompt)[:, -MOST_TOKENS:]
        lengths = tf.cast(prompts.row_lengths(), tf.int32)
        longest = tf.reduce_max(lengths) + tf.reduce_max(max_length)
        text_of = text_behind(prompts, self._tokenizer)
        drawn, score = sample(
            self.model.next_token,
            self.model.start(tf.size(prompt), longest),
            Prompt(prompts.to_tensor(), lengths),
            SamplingSettings(temperature, top_k, top_p, max_length, seed),
            lambda drawn: is_stopped(drawn, stop, text_of),
        )
        text, reason = text_and_reason(drawn, max_length, stop, text_of)
        return {"text": text, "score": score, "reason": reason}

    def prefill(self, prompt: tf.Tensor, *settings: tf.Tensor) -> dict[str, tf.Tensor]:
        """Begins what `generate` does at once, inputs as there; the state is that of `models.tasks.text_streams`."""
        names = (setting.name for setting in self.request_settings)
        return self._streams.prefill(prompt, dict(zip(names, self.within_limits(*settings), strict=True)))

    def streaming(self) -> Streaming:
        """A state goes from `prefill` to `step`, and from step to step."""
        return Streaming(prefill="prefill", step="step", state=[spec.name for spec in self._streams.specs])

    def padded_axes(self) -> dict[str, list[PaddedAxis]]:
        """The units of a text that is scored."""
        return {"score": [PaddedAxis(outputs={"token_log_probs": 1, "pieces": 1}, told_by="num_units")]}

    def score(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """How probable texts are.

        A text of a model that learned from texts one by one is a whole one: its end is predicted too, and counts as a
        unit. Of a model that learned from a stream (`training.sequence_length`) it is any stretch, without an end.

        Args:
            text: string (B,).

        Returns:
            as `examples`, and for each predicted token, padded behind a row's own end, `token_log_probs` float32 (B, T)
            and `pieces` string (B, T), as people read it, "" where padded.
        """
        in_stream = self.settings.training.sequence_length > 0
        ends = tf.fill(tf.shape(text), not in_stream)
        log_probs, labels = self._log_probs(tf.zeros_like(text), text, ends)
        scored = self._sums(text, log_probs, labels)
        return scored | {"token_log_probs": log_probs, "pieces": self._tokenizer.look_up(labels)}

    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """How probable the texts of raw examples are, given what stands before them in their documents.

        Args:
            examples: serialized raw tf.Example string (B,).

        Returns:
            `log_prob` float32 (B,), natural logarithm; `num_units` int32 (B,), what was predicted: the text's tokens
            ([START] never, [UNK] as any other), and [END] where a document ends with the text; `num_characters` and
            `num_bytes` int32 (B,), of the raw text in UTF-8.
        """
        notes = {name: tf.io.FixedLenFeature([], tf.string, "") for name in ("context", "continues")}
        parsed = tf.io.parse_example(examples, notes | {"text": tf.io.FixedLenFeature([], tf.string)})
        log_probs, labels = self._log_probs(parsed["context"], parsed["text"], parsed["continues"] == "")
        return self._sums(parsed["text"], log_probs, labels)

    def _sums(self, text: tf.Tensor, log_probs: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {
            "log_prob": tf.reduce_sum(log_probs, axis=1),
            "num_units": tf.reduce_sum(tf.cast(labels != PAD_TOKEN_ID, tf.int32), axis=1),
            "num_characters": tf.strings.length(text, "UTF8_CHAR"),
            "num_bytes": tf.strings.length(text),
        }

    def _log_probs(self, context: tf.Tensor, text: tf.Tensor, ends: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Log probabilities of the tokens of texts, float32 (B, T), 0 where padded, and the tokens, int32 (B, T).

        Args:
            context: what stands before, string (B,); "" begins a document.
            text: string (B,).
            ends: bool (B,), whether [END] is predicted too.
        """
        before = tf.concat([_marks(context == "", START_TOKEN_ID), self._tokenizer.tokenize_whole(context)], axis=1)
        behind = tf.concat([self._tokenizer.tokenize_whole(text), _marks(ends, END_TOKEN_ID)], axis=1)
        token_ids = tf.concat([before, behind], axis=1).to_tensor()
        inputs, labels = (at_least_one_position(part) for part in (token_ids[:, :-1], token_ids[:, 1:]))
        places = tf.range(tf.shape(labels)[1])
        given = tf.cast(before.row_lengths(), tf.int32)[:, tf.newaxis] - 1
        real = (places >= given) & (labels != PAD_TOKEN_ID)
        log_probs = tf.where(real, self._whole_log_probs(inputs, labels), 0.0)
        # The predicted ones of each row to its front.
        order = tf.argsort(tf.cast(~real, tf.int32), axis=1, stable=True)
        log_probs, labels = (
            tf.gather(part, order, batch_dims=1) for part in (log_probs, tf.where(real, labels, PAD_TOKEN_ID))
        )
        longest = tf.reduce_max(tf.reduce_sum(tf.cast(real, tf.int32), axis=1))
        return log_probs[:, :longest], labels[:, :longest]

    def _whole_log_probs(self, inputs: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Of all positions, int32 (B, T) both, to float32 (B, T); a few rows at a time."""
        shape = tf.shape(inputs)
        at_once = tf.clip_by_value(shape[0], 1, _ROWS_AT_ONCE)
        missing = -shape[0] % at_once

        def in_groups(part: tf.Tensor) -> tf.Tensor:
            return tf.reshape(tf.pad(part, [[0, missing], [0, 0]]), [-1, at_once, shape[1]])

        def of_group(group: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
            logits = self.model({"token_ids": group[0]})
            return -keras.ops.sparse_categorical_crossentropy(group[1], logits, from_logits=True)

        groups = (in_groups(inputs), in_groups(labels))
        of_groups = tf.map_fn(of_group, groups, fn_output_signature=tf.TensorSpec([None, None], tf.float32))
        return tf.reshape(of_groups, [-1, shape[1]])[: shape[0]]


def _marks(wanted: tf.Tensor, token_id: int) -> tf.RaggedTensor:
    """One special token where it is wanted, bool (B,), else none: ragged int32 (B, 1 or 0)."""
    lengths = tf.cast(wanted, tf.int64)
    return tf.RaggedTensor.from_row_lengths(tf.fill([tf.reduce_sum(lengths)], token_id), lengths)
