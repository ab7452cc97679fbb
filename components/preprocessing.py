"""The function that Transform finds by its dotted name.

It stands alone because TFX reloads its module: a class defined here would exist twice, and checks by type would fail.
"""

from typing import Any

from models.registry import TASKS
from models.tokenizers.vocabularies import Vocabularies
from models.too_long import CountingVocabularies, num_tokens_key

VOCABULARY_KEY = "vocabulary"


def preprocessing_fn(inputs: dict[str, Any], custom_config: dict[str, Any]) -> dict[str, Any]:
    """Turns raw features into token ids and label ids, in the graph.

    Args:
        inputs: per raw feature strings (B, 1) or numbers (B, N), dense or sparse, as the schema has it.
        custom_config: `task`, and under `VOCABULARY_KEY` the folder of the vocabularies.

    Returns:
        What the task's `preprocess` returns, and how many tokens each text has before it is cut.
    """
    vocabularies = CountingVocabularies(Vocabularies.load(custom_config[VOCABULARY_KEY]))
    # A task reads vocabularies as they are; these also count.
    transformed = TASKS[custom_config["task"]].code().preprocess(inputs, vocabularies)  # type: ignore[arg-type]
    return transformed | {num_tokens_key(name): count for name, count in vocabularies.num_tokens.items()}
