"""Texts as one stream that the rows of a batch read side by side: truncated back-propagation through time.

Williams and Peng (1990): the stream is cut into windows, gradients stay inside a window, states go on into the next.

L: tokens of a window, B: rows of a batch, S: windows of a row.
"""

from typing import Any

import tensorflow as tf

from models.tokenizers.special import END_TOKEN_ID, PAD_TOKEN_ID, START_TOKEN_ID

# Inputs `token_ids` int32 (L,) and `resets` int32 (); labels int32 (L,); weights float32 (L,), 0 = not predicted.
Window = tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]


def predictions(
    token_ids: tf.Tensor, begins: tf.Tensor, ends: tf.Tensor, before: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """What a model reads of a text, and what it should say.

    Args:
        token_ids: int32 (T,), without special tokens.
        begins: bool scalar, whether a document begins here: then [START] stands before it.
        ends: bool scalar, whether a document ends here: then [END] is said behind it.
        before: int32 scalar, the token before a text that does not begin a document; 0 where nobody knows it.

    Returns:
        inputs and labels, int32 (T,) or (T + 1,), and weights float32 of the same shape: 0 for a first token before
        which nothing is known.
    """
    labels = tf.concat([token_ids, tf.fill([tf.cast(ends, tf.int32)], END_TOKEN_ID)], axis=0)
    first = tf.where(begins, START_TOKEN_ID, before)
    inputs = tf.concat([[first], labels], axis=0)[: tf.size(labels)]
    return inputs, labels, tf.cast(inputs != PAD_TOKEN_ID, tf.float32)


def windows_of(texts: tf.data.Dataset, length: int, reset_at_documents: bool) -> tf.data.Dataset:
    """Joins texts to a stream and cuts it into windows.

    Args:
        texts: of `token_ids` int32 (T,), `begins` and `ends`, bool scalars, in their order.
        length: L.
        reset_at_documents: begin each document with a window of its own and with fresh states; the window before it is
            padded.

    Returns:
        dataset of `Window`; the last one is padded with 0.
    """

    def add(state: tuple[tf.Tensor, tf.Tensor], text: dict[str, tf.Tensor]) -> Any:
        before, position = state
        inputs, labels, weights = predictions(text["token_ids"], text["begins"], text["ends"], before)
        fresh = text["begins"] & reset_at_documents
        padding = [[tf.where(fresh, -position % length, 0), 0]]
        resets = tf.concat([[tf.cast(fresh, tf.int32)], tf.zeros_like(inputs)], axis=0)[: tf.size(inputs)]
        parts = tuple(tf.pad(part, padding) for part in (inputs, labels, weights, resets))
        last = tf.concat([[before], labels], axis=0)[-1]
        return (last, (position + tf.size(parts[0])) % length), parts

    def window(inputs: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor, resets: tf.Tensor) -> Window:
        behind = [[0, length - tf.size(inputs)]]
        inputs, labels, weights = (
            tf.ensure_shape(tf.pad(part, behind), [length]) for part in (inputs, labels, weights)
        )
        return {"token_ids": inputs, "resets": resets[0]}, labels, weights

    # Not one element a token, which costs a microsecond each.
    return texts.scan((tf.constant(PAD_TOKEN_ID), tf.constant(0)), add).rebatch(length).map(window)


def keep_in_rows(windows: tf.data.Dataset, rows: int, folder: str) -> tf.data.Dataset:
    """Lays a stream onto the disk so that each batch goes on where the one before ended.

    Row r has windows r S to (r + 1) S - 1, S = ceil(number of windows / B). Each row begins with fresh states; but
    first it reads the window before its own, without weight, so that (nearly) all of its past is known: the loss of a
    held-out text is that of a reader from its beginning. The rest of the last rows is padding.

    Weights are scaled by one number, so that the mean over all positions, padding included, is the mean over those that
    are predicted, and so is the mean of the means of the batches, which is what Keras shows.

    Args:
        windows: of `windows_of`.
        rows: B.
        folder: where it lies, a file for each row; not there yet.

    Returns:
        dataset of `Window`: the first one of each row, then the second one of each row, and so on.
    """
    number, real = windows.reduce(
        (0, tf.constant(0.0, tf.float64)),
        lambda seen, window: (seen[0] + 1, seen[1] + tf.cast(tf.reduce_sum(window[2]), tf.float64)),
    )
    per_row = max(1, -(-int(number) // rows))
    scale = float((per_row + 1) * rows * windows.element_spec[2].shape[0] / max(float(real), 1.0))
    blank = tf.data.Dataset.from_tensors(
        tf.nest.map_structure(lambda s: tf.zeros(s.shape, s.dtype), windows.element_spec)
    )
    filled = windows.concatenate(blank.repeat(per_row * rows - int(number)))

    def place(index: tf.Tensor, window: Window) -> tf.data.Dataset:
        row = index // per_row
        inputs, labels, weights = window
        own = tf.data.Dataset.from_tensors((row, (_begun(inputs, index == 0), labels, weights * scale)))
        lead = tf.data.Dataset.from_tensors((row + 1, (_begun(inputs, True), labels, tf.zeros_like(weights))))
        is_last = ((index + 1) % per_row == 0) & (row + 1 < rows)
        return own.concatenate(lead.take(tf.cast(is_last, tf.int64)))

    first = blank.map(lambda inputs, *rest: (tf.constant(0, tf.int64), (_begun(inputs, True), *rest)))
    placed = first.concatenate(filled.enumerate().flat_map(lambda index, window: place(index, window)))
    placed.save(folder, shard_func=lambda row, window: row)
    in_turn = tf.data.Dataset.load(
        folder, reader_func=lambda shards: shards.interleave(lambda row: row, cycle_length=rows, block_length=1)
    )
    return in_turn.map(lambda row, window: window)


def _begun(inputs: dict[str, tf.Tensor], begins: Any) -> dict[str, tf.Tensor]:
    """With fresh states where the row begins."""
    return inputs | {"resets": tf.where(begins, 1, inputs["resets"])}
