"""Texts that go on token by token, the caller holding what a step hands to the next (Yu et al., 2022, section 4).

There they schedule each step anew: a row joins or leaves the batch between any two. All that a row is stands in its
state, tensors with the rows first, so that a caller may join and part the rows of several batches as it likes. We
differ in that a prompt is read by a signature of its own, and not in the batch of those that draw.

B: batch, P: tokens of a prompt at most, L: tokens drawn at most, D: random numbers of a row.
"""

from typing import Any

import keras
import tensorflow as tf

from models.decoding.next_token import keep_rows
from models.decoding.sampling import (
    Prompt,
    SamplingSettings,
    SamplingState,
    draw,
    noise_of,
    nothing_drawn,
    read,
    still_going,
)
from models.decoding.settings import MOST_TOKENS
from models.request_settings import RequestSetting
from models.tasks.continuations import is_stopped, text_and_reason, text_behind
from models.tasks.signatures import spec
from models.tokenizers.special import PAD_TOKEN_ID
from models.tokenizers.tokenizer import Tokenizer

# [START], a prompt and what is drawn behind it; the last token drawn is not read.
_MOST_STEPS = 2 * MOST_TOKENS
_DRAWN = {"previous": tf.int32, "num_drawn": tf.int32, "log_prob": tf.float32, "going": tf.bool}

State = dict[str, tf.Tensor]


class TextStreams:
    """Begins texts, and draws a token of each.

    A state has for each row: the settings of its request; `prompt_ids` int32 (B, P) and `drawn` int32 (B, L), padded
    with 0; `previous` int32 (B,), the token to read next; `num_drawn` int32 (B,); `log_prob` float32 (B,), the sum;
    `going` bool (B,), whether it draws on; `noise` float32 (B, D); and the tensors of the model's cache, `cache_<i>`.
    A cache of less than float32 is widened to it, which changes no value and is a type that all clients know.

    Args:
        model: a `LanguageModel`.
        tokenizer: of prompts and texts.
        request_settings: of sampling, with `stop`.
    """

    def __init__(self, model: keras.Model, tokenizer: Tokenizer, request_settings: tuple[RequestSetting, ...]):
        self._model, self._tokenizer = model, tokenizer
        self._setting_specs = [spec(setting.name, tf.as_dtype(setting.dtype)) for setting in request_settings]
        # What a cache looks like: it is never read.
        self._cache = tf.nest.map_structure(
            lambda tensor: tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype), model.start(1, _MOST_STEPS)
        )

    @property
    def specs(self) -> list[tf.TensorSpec]:
        """A state as the inputs of a signature."""
        num_draws = noise_of(tf.zeros([1], tf.int32), MOST_TOKENS).shape[1]
        wide = {
            "prompt_ids": (MOST_TOKENS, tf.int32),
            "drawn": (MOST_TOKENS, tf.int32),
            "noise": (num_draws, tf.float32),
        }
        cache = [
            tf.TensorSpec(part.shape, _told_as(part.dtype), f"cache_{number}")
            for number, part in enumerate(tf.nest.flatten(self._cache))
        ]
        return [
            *self._setting_specs,
            *(tf.TensorSpec([None, width], dtype, name) for name, (width, dtype) in wide.items()),
            *(spec(name, dtype) for name, dtype in _DRAWN.items()),
            *cache,
        ]

    def prefill(self, prompt: tf.Tensor, settings: State) -> State:
        """Reads prompts.

        Args:
            prompt: string (B,); of a very long one the last 1,024 tokens are read.
            settings: of the requests, within their limits.

        Returns:
            the state before the first draw.
        """
        prompts = self._tokenizer.tokenize_whole(prompt)[:, -MOST_TOKENS:]
        lengths = tf.cast(prompts.row_lengths(), tf.int32)
        cache = self._model.start(tf.size(prompt), _MOST_STEPS)
        previous, cache = read(self._model.next_token, cache, Prompt(prompts.to_tensor(), lengths))
        state = nothing_drawn(previous, MOST_TOKENS, _sampling(settings))
        return {
            **settings,
            "prompt_ids": prompts.to_tensor(PAD_TOKEN_ID, shape=[None, MOST_TOKENS]),
            "noise": noise_of(settings["seed"], MOST_TOKENS),
            **_told(state, cache),
        }

    def step(self, *values: tf.Tensor) -> State:
        """Draws the next token of every row that goes on.

        Args:
            values: a state, in the order of `specs`.

        Returns:
            what changes in the state; `text` string (B,), all that was drawn, of whole characters only, without end
            token and stop string; `score` float32 (B,), as of `sample`; `reason` string (B,), why it ends: "end",
            "stop" or "length", "" while it goes on.
        """
        given = {spec.name: value for spec, value in zip(self.specs, values, strict=True)}
        settings, before = _sampling(given), SamplingState(time=tf.constant(0), **_parts(given))
        cache = tf.nest.pack_sequence_as(
            self._cache,
            [tf.cast(given[f"cache_{number}"], part.dtype) for number, part in enumerate(tf.nest.flatten(self._cache))],
        )
        state, following = draw(self._model.next_token, before, cache, given["noise"], settings)
        prompts = tf.RaggedTensor.from_tensor(given["prompt_ids"], padding=PAD_TOKEN_ID)
        text_of = text_behind(prompts, self._tokenizer)
        state = still_going(state, ~is_stopped(state.drawn, given["stop"], text_of))
        text, reason = text_and_reason(state.drawn, settings.max_length, given["stop"], text_of)
        return {
            **_told(state, keep_rows(before.going, following, cache)),
            "text": text,
            "score": tf.math.divide_no_nan(state.log_prob, tf.cast(state.num_drawn, tf.float32)),
            "reason": tf.where(state.going, "", reason),
        }


def _sampling(settings: State) -> SamplingSettings:
    return SamplingSettings(*(settings[name] for name in ("temperature", "top_k", "top_p", "max_length", "seed")))


def _parts(state: State) -> State:
    return {name: state[name] for name in ("drawn", *_DRAWN)}


def _told_as(dtype: tf.DType) -> tf.DType:
    return tf.float32 if tf.as_dtype(dtype).is_floating else dtype


def _told(state: SamplingState, cache: Any) -> State:
    flat = {f"cache_{number}": part for number, part in enumerate(tf.nest.flatten(cache))}
    told = {name: tf.cast(part, _told_as(part.dtype)) for name, part in flat.items()}
    return {name: getattr(state, name) for name in ("drawn", *_DRAWN)} | told
