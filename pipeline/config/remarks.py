"""What is allowed and yet worth a word, said by `seqline validate` and `seqline doctor`."""

from collections.abc import Iterator

from models.registry import TASKS
from pipeline.config.config import Config


def slow_on_gpu(config: Config) -> Iterator[str]:
    """One sentence for each setting with which an encoder misses the kernel that computes a layer at once on a GPU."""
    if "encoder" not in TASKS[config.task].roles:
        return
    for key, reason in config.model.slow_on_gpu.items():
        value = str(getattr(config.model, key)).lower()
        yield f"model.{key} {value}: {reason}; on a GPU the encoder then goes step by step, much slower"
