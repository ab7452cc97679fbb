"""Vectors of words that were learned before, as the beginning of a model's token embeddings.

T: tokens of a vocabulary, E: width of a vector.
"""

import pathlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import tensorflow as tf

# Registers the TF Text operations of the other model.
import tensorflow_text  # noqa: F401

from models.errors import SeqlineError
from models.layers.heads.token_embedding import TokenEmbedding
from models.tokenizers.tokenizer import Tokenizer
from models.words.files import check_width, read_vectors

# Words that another model is asked for at once.
_BATCH = 4096


def transfer(
    embeddings: Mapping[str, TokenEmbedding], tokenizers: Mapping[str, Tokenizer], source: pathlib.Path, trainable: bool
) -> dict[str, float]:
    """Gives tokens the vectors of the words that they stand for.

    Tokens without such a word keep their random vectors, scaled to the variance of those that were found (Kim, 2014,
    section 3.2).

    Args:
        embeddings: by text feature, built.
        tokenizers: by text feature.
        source: folder of a SavedModel with the signature `embed`, or file of vectors.
        trainable: whether they are learned further.

    Returns:
        by feature, the share of the vocabulary, special tokens left aside, that was found.

    Raises:
        SeqlineError: the width differs, the source cannot be read, or has none of the words.
    """
    wanted = {feature: tokenizers[feature].words() for feature in embeddings}
    words = sorted({word for of_feature in wanted.values() for word in of_feature if word})
    found = dict(vectors_of(source, words))
    shares = {}
    for feature, embedding in embeddings.items():
        shares[feature] = _fill(embedding, wanted[feature], found, source)
        embedding.trainable = trainable
    if not any(shares.values()):
        raise SeqlineError(
            "model.embeddings.from must have vectors for words of the vocabulary. Received: "
            f"{source}, which has none of its {len(words)} words. Name vectors of the same language, or learn the "
            "vocabulary with tokenizer.unit word and the same tokenizer.lowercase."
        )
    return shares


def vectors_of(source: pathlib.Path, words: Sequence[str]) -> Iterable[tuple[str, np.ndarray]]:
    """Those of the words that a source has, with their vectors, float32 (E,); arguments as of `transfer`."""
    if source.is_dir():
        return _ask(source, words)
    wanted = set(words)
    return ((word, vector) for word, vector in read_vectors(source) if word in wanted)


def _ask(model: pathlib.Path, words: Sequence[str]) -> Iterable[tuple[str, np.ndarray]]:
    embed = tf.saved_model.load(str(model)).signatures["embed"]
    for start in range(0, len(words), _BATCH):
        asked = words[start : start + _BATCH]
        answer = embed(text=tf.constant(asked))
        # What the other model takes for several words has no vector of its own.
        single = tf.reduce_sum(tf.cast(answer["words"] != "", tf.int32), axis=1) == 1
        known = tf.logical_and(single, answer["known"][:, 0] == 1).numpy()
        vectors = answer["vectors"][:, 0].numpy()
        yield from ((word, vectors[row]) for row, word in enumerate(asked) if known[row])


def _fill(
    embedding: TokenEmbedding, words: Sequence[str], found: Mapping[str, np.ndarray], source: pathlib.Path
) -> float:
    rows = np.array(embedding.embedding.embeddings)
    check_width(len(next(iter(found.values()))) if found else rows.shape[1], rows.shape[1], str(source))
    places = [place for place, word in enumerate(words) if word in found]
    if places:
        vectors = np.stack([found[words[place]] for place in places])
        rows *= vectors.std() / max(float(rows.std()), 1e-12)
        rows[places] = vectors
        embedding.embedding.embeddings.assign(rows)
    return len(places) / max(sum(map(bool, words)), 1)
