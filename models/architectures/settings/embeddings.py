"""Settings of vectors that were learned before."""

from typing import Any

import pydantic

from models.settings import Settings, a_path, only_with

_FROM = """Where the vectors stand with which tokens begin, each with that of the word that it stands for: folder of a
pushed model of task word_embedding, such as outputs/serving/word_vectors, whose newest version is asked, or a file in
word2vec's text or binary form. Empty: all begin with random ones."""
_TRAINABLE = """Learn them further. False: the vectors of all tokens stay as they are, also of those that were not
found."""
_FIELDS: dict[str, Any] = {
    # Python takes no attribute of this name, users of the configuration do.
    "from": (str, pydantic.Field("", description=_FROM, json_schema_extra=a_path())),
    "trainable": (bool, pydantic.Field(True, description=_TRAINABLE, json_schema_extra=only_with(**{"from": True}))),
}
_Keys: Any = pydantic.create_model("_Keys", __base__=Settings, **_FIELDS)


class EmbeddingsSettings(_Keys):
    """Vectors of words, learned before, to begin with."""

    @property
    def source(self) -> str:
        """What `from` says."""
        return getattr(self, "from")  # noqa: B009  # a keyword of Python
