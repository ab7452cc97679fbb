"""Worker: training in PyTorch. Runs in the peers' environment."""

import time
from typing import Any

import torch
from torch.nn import functional

from benchmarks.audio.torch_wavenet import LEVELS, WaveNet
from benchmarks.audio.workers import answer_jobs


class TorchTraining:
    """Measures steps of Adam on random samples.

    Args:
        shape: Arguments of `WaveNet`.
        batch_size: Rows of a step.
        length: Samples of a row, all predicted.
        learning_rate: Of Adam.
        clip_norm: Largest global norm of the gradients.
        threads: Of PyTorch.
        is_compiled: By torch.compile.
    """

    def __init__(
        self,
        shape: dict[str, Any],
        batch_size: int,
        length: int,
        learning_rate: float,
        clip_norm: float,
        threads: int,
        is_compiled: bool,
    ) -> None:
        torch.manual_seed(1)
        torch.set_num_threads(threads)
        self._model = WaveNet(**shape)
        self._forward: Any = torch.compile(self._model, dynamic=False) if is_compiled else self._model
        self._clip_norm = clip_norm
        self._optimizer = torch.optim.Adam(self._model.parameters(), lr=learning_rate)
        self._levels, self._targets = torch.randint(LEVELS, [2, batch_size, length]).unbind()
        parameters = sum(one.numel() for one in self._model.parameters())
        self.facts = {"torch": torch.__version__, "parameters": parameters}

    def __call__(self, steps: int) -> dict[str, Any]:
        """Seconds of so many steps, and the last loss in nats."""
        started = time.perf_counter()
        for _ in range(steps):
            self._optimizer.zero_grad()
            loss = functional.cross_entropy(self._forward(self._levels), self._targets)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._clip_norm)
            self._optimizer.step()
        return {"seconds": time.perf_counter() - started, "loss": float(loss.detach())}


if __name__ == "__main__":
    answer_jobs(TorchTraining)
