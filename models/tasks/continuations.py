"""What tokens that were drawn behind prompts say as text.

B: batch, P: tokens of a prompt, L: tokens drawn.
"""

from collections.abc import Callable

import tensorflow as tf

from models.decoding.stop_strings import cut_at_stop
from models.tokenizers.special import PAD_TOKEN_ID
from models.tokenizers.tokenizer import Tokenizer

TextOf = Callable[[tf.Tensor], tf.Tensor]
"""From tokens drawn, int32 (B, L) padded with 0, to what they add to their prompts, of whole characters only, (B,)."""


def text_behind(prompts: tf.RaggedTensor, tokenizer: Tokenizer) -> TextOf:
    """What says the text behind prompts, ragged int32 (B, P)."""
    before = tf.strings.length(tokenizer.detokenize(prompts))

    def text_of(drawn: tf.Tensor) -> tf.Tensor:
        tokens = tf.RaggedTensor.from_tensor(drawn, padding=PAD_TOKEN_ID)
        # Both together, since a word brings the space before it only where something stands before it.
        both = tokenizer.detokenize(tf.concat([prompts, tokenizer.whole_characters(tokens)], axis=1))
        return tf.strings.substr(both, before, tf.strings.length(both) - before)

    return text_of


def is_stopped(drawn: tf.Tensor, stop: tf.Tensor, text_of: TextOf) -> tf.Tensor:
    """Whether a stop string, string (B,), stands in what was drawn, int32 (B, L): bool (B,)."""

    def look() -> tf.Tensor:
        text = text_of(drawn)
        return tf.strings.length(cut_at_stop(text, stop)) < tf.strings.length(text)

    # Decoding what was drawn after each token takes longer than to draw it from a small model.
    return tf.cond(tf.reduce_any(stop != ""), look, lambda: tf.zeros_like(stop, tf.bool))


def text_and_reason(
    drawn: tf.Tensor, max_length: tf.Tensor, stop: tf.Tensor, text_of: TextOf
) -> tuple[tf.Tensor, tf.Tensor]:
    """The text of what was drawn, and why it ends where it is done.

    Args:
        drawn: int32 (B, L), padded with 0.
        max_length: int32 (B,).
        stop: string (B,).
        text_of: says the text.

    Returns:
        string (B,), without end token and stop string; and string (B,), "end", "stop" or "length".
    """
    whole = text_of(drawn)
    text = cut_at_stop(whole, stop)
    num_drawn = tf.reduce_sum(tf.cast(drawn != PAD_TOKEN_ID, tf.int32), axis=1)
    ended = tf.where(num_drawn < max_length, "end", "length")
    return text, tf.where(tf.strings.length(text) < tf.strings.length(whole), "stop", ended)
