"""Skip-gram: a word predicts each word around it (Mikolov et al., 2013a)."""

from models.architectures.settings.word_vectors import SkipGramSettings
from models.layers.word_vectors import SkipGram


def word_vectors(settings: SkipGramSettings, num_words: int) -> SkipGram:
    """The role `word_vectors` for so many words."""
    return SkipGram(num_words, settings.embedding_dim, settings.negative_samples, settings.window)
