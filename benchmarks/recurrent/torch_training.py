"""Worker: training in PyTorch. Runs in the peers' environment."""

import time
from typing import Any

import torch
from torch.nn import functional

from benchmarks.audio.workers import answer_jobs
from benchmarks.recurrent.torch_models import MODELS, NUM_LABELS, parameters_of

SPECIAL_TOKENS = 4


class TorchTraining:
    """Measures steps of Adam on one random batch.

    Args:
        task: Key of `MODELS`.
        settings: `model` and `training` of the run.
        length: Tokens of a row.
        pieces: Of each vocabulary.
        threads: Of PyTorch.
    """

    def __init__(self, task: str, settings: dict[str, Any], length: int, pieces: int, threads: int) -> None:
        torch.manual_seed(1)
        torch.set_num_threads(threads)
        training = settings["training"]
        self._in_bfloat16 = training["precision"] == "mixed_bfloat16"
        self._clip_norm = training["clip_norm"]
        self._model = MODELS[task](pieces, settings["model"])
        self._optimizer = torch.optim.Adam(self._model.parameters(), lr=training["learning_rate"])
        shape = [training["batch_size"], length]
        self._inputs = [torch.randint(SPECIAL_TOKENS, pieces, shape) for _ in range(1 + (task == "text_to_text"))]
        is_classifier = task == "text_classification"
        self._targets = (
            torch.randint(NUM_LABELS, shape[:1]) if is_classifier else torch.randint(SPECIAL_TOKENS, pieces, shape)
        )
        self.facts = {"torch": torch.__version__, "parameters": parameters_of(self._model)}

    def __call__(self, steps: int, processor_time: bool) -> dict[str, Any]:
        """Seconds of so many steps, on the clock or of all processors, and the last loss in nats."""
        clock = time.process_time if processor_time else time.perf_counter
        started = clock()
        for _ in range(steps):
            loss = self._step()
        return {"seconds": clock() - started, "loss": float(loss.detach())}

    def _step(self) -> torch.Tensor:
        self._optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self._in_bfloat16):
            logits = self._model(*self._inputs)
        loss = functional.cross_entropy(logits.float().flatten(0, -2), self._targets.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._clip_norm)
        self._optimizer.step()
        return loss


if __name__ == "__main__":
    answer_jobs(TorchTraining)
