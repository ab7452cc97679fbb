"""Worker: generation in PyTorch. Runs in the peers' environment."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from benchmarks.audio.torch_wavenet import LEVELS, Queues, Step, WaveNet, draw
from benchmarks.audio.workers import answer_jobs

SILENCE_ID = 128
WARM_UP_SAMPLES = 50
CHECKED_SAMPLES = 200
TOLERANCE = 1e-4


class TorchGenerator:
    """Measures one way to generate.

    Args:
        shape: Arguments of `WaveNet`.
        way: "eager" or "compile", both with queues; or "full": the receptive field for each sample.
        threads: Of PyTorch; with queues one thread is tried too, and the better counts.
    """

    def __init__(self, shape: dict[str, Any], way: str, threads: int) -> None:
        torch.manual_seed(1)
        self._threads = [threads] if way == "full" else sorted({1, threads})
        torch.set_num_threads(self._threads[0])
        self._model = WaveNet(**shape).eval()
        self._step = Step(self._model).eval()
        self._way = way
        parameters = sum(one.numel() for one in self._model.parameters())
        self.facts = {"torch": torch.__version__, "parameters": parameters, "difference": self._difference()}

    def __call__(self, rows: int, samples: int) -> dict[str, Any]:
        """Seconds of the first samples, compilation included, and of all others."""
        warm_up = 3 if self._way == "full" else WARM_UP_SAMPLES
        with torch.inference_mode():
            generate = self._full_pass(rows) if self._way == "full" else self._with_queues(rows)
            noise = torch.rand(warm_up + samples, rows, 1).unbind()
            started = time.perf_counter()
            generate(noise[:warm_up])
            first_seconds, took = time.perf_counter() - started, []
            for threads in self._threads:
                torch.set_num_threads(threads)
                started = time.perf_counter()
                generate(noise[warm_up:])
                took.append(time.perf_counter() - started)
        return {"first_seconds": first_seconds, "seconds": min(took)}

    def _with_queues(self, rows: int) -> Callable[[Sequence[torch.Tensor]], None]:
        queues = Queues(self._model, rows)
        levels = torch.full([rows], SILENCE_ID)
        step: Any = self._step
        if self._way == "compile":
            step = torch.compile(step, dynamic=False)

        def generate(noise: Sequence[torch.Tensor]) -> None:
            drawn = levels
            for index, one in enumerate(noise):
                drawn, seen = step(queues.read(index), drawn, one)
                queues.write(index, seen)

        return generate

    def _full_pass(self, rows: int) -> Callable[[Sequence[torch.Tensor]], None]:
        def generate(noise: Sequence[torch.Tensor]) -> None:
            window = torch.full([rows, self._model.receptive_field], SILENCE_ID)
            for one in noise:
                drawn = draw(self._model(window)[:, :, -1], one)
                window = torch.cat([window[:, 1:], drawn[:, None]], dim=1)

        return generate

    def _difference(self) -> float:
        """Largest difference of the logits with queues from those of the full pass.

        Raises:
            ValueError: It is more than rounding makes.
        """
        with torch.inference_mode():
            levels = torch.randint(LEVELS, [2, CHECKED_SAMPLES])
            queues, found = Queues(self._model, 2), []
            # A full pass pads what the layers see with zeros, as empty queues are.
            for index, column in enumerate(levels.unbind(1)):
                logits, seen = self._step.logits(queues.read(index), column)
                queues.write(index, seen)
                found.append(logits)
            difference = float((torch.stack(found, dim=2) - self._model(levels)).abs().max())
        if difference > TOLERANCE:
            raise ValueError(f"generation with queues differs from the full pass by {difference}")
        return difference


if __name__ == "__main__":
    answer_jobs(TorchGenerator)
