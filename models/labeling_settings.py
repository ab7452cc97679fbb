"""Settings of the labeling section."""

from typing import Annotated, Literal

import pydantic

from models.settings import Settings, a_path, only_with

# Which lists a word stands in is one int32, with a bit for each of them.
_MOST_GAZETTEERS = 30

GazetteerName = Annotated[str, pydantic.StringConstraints(pattern=r"^\w[\w-]*$")]


class LabelingSettings(Settings):
    """What is known of a word beside its vector, and how the tags of a sequence are chosen together."""

    cut: Literal["words", "punctuation", "blanks"] = "words"
    """How a text that comes uncut is cut into tokens. words: words with apostrophes and hyphens inside, numbers, web
    addresses, @handles, #tags, emoticons and runs of one mark are a token each; punctuation: words, and every other
    character alone; blanks: between white space only. The metric same_cut says how often it gives the tokens of the
    data: try the others where it is low."""
    characters: Literal["none", "cnn", "lstm"] = "cnn"
    """A second vector of each word, from its characters: cnn: convolution and maximum (Ma and Hovy, 2016); lstm: the
    ends of a bidirectional LSTM (Lample et al., 2016)."""
    character_dim: int = pydantic.Field(30, ge=1, json_schema_extra=only_with(characters=("cnn", "lstm")))
    """Width of a character's vector."""
    character_hidden_dim: int = pydantic.Field(50, ge=1, json_schema_extra=only_with(characters=("cnn", "lstm")))
    """Filters of cnn, units of each direction of lstm."""
    character_window: int = pydantic.Field(3, ge=1, json_schema_extra=only_with(characters="cnn"))
    """Characters that each filter sees."""
    max_word_length: int = pydantic.Field(32, ge=1, le=64, json_schema_extra=only_with(characters=("cnn", "lstm")))
    """Characters of a word that are read at most, from its beginning."""
    shape_dim: int = pydantic.Field(0, ge=0)
    """Width of a vector for the shape of each word, such as Xxx-dd for Abc-12. 0: none."""
    gazetteers: dict[GazetteerName, str] = pydantic.Field({}, max_length=_MOST_GAZETTEERS, json_schema_extra=a_path())
    """Lists of names, such as {person: names.txt, place: towns.txt}: text files with a name on each line. The model is
    told which words stand in a name of each list, words compared as the tokenizer section normalises them; what that
    means is learned."""
    unknown_share: float = pydantic.Field(0.0, ge=0, lt=1)
    """Share of the words that training reads as unknown, drawn anew each time, so that the model learns to do without
    knowing a word."""
    outside_penalty: float = pydantic.Field(0.0, ge=0)
    """Taken from the score of the tag O of every token when tags are chosen, a log-odds: a model that misses more spans
    than it makes up finds more of them. 0: what the model believes."""
    crf: bool = True
    """Choose the tags of a sequence together, by a conditional random field with a weight for each pair of neighbours
    (Lafferty et al., 2001; Lample et al., 2016), instead of each by itself. Illegal sequences, such as O I-person, are
    never answered either way."""
