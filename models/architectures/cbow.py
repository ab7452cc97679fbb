"""CBOW: the words around a word predict it together (Mikolov et al., 2013a)."""

from models.architectures.settings.word_vectors import CbowSettings
from models.layers.word_vectors import ContinuousBagOfWords


def word_vectors(settings: CbowSettings, num_words: int) -> ContinuousBagOfWords:
    """The role `word_vectors` for so many words."""
    return ContinuousBagOfWords(num_words, settings.embedding_dim, settings.negative_samples, settings.window)
