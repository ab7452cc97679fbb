"""WaveNet in PyTorch, of the same shape as ours: the peer of both benchmarks.

B: batch, T: samples, L: layers, D: `hidden_dim`, S: `skip_dim`, K: `kernel_size`, P: K - 1, Q: samples in all queues.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

LEVELS = 256


class WaveNet(nn.Module):
    """The full pass, by the plain means of PyTorch: levels int (B, T) to logits (B, 256, T)."""

    def __init__(self, hidden_dim: int, skip_dim: int, kernel_size: int, dilations: Sequence[int]) -> None:
        super().__init__()
        dim, count = hidden_dim, len(dilations)
        self.dilations, self.kernel_size = tuple(dilations), kernel_size
        self.receptive_field = (kernel_size - 1) * (1 + sum(dilations)) + 1
        self.embedding = nn.Embedding(LEVELS, dim)
        self.first = nn.Conv1d(dim, dim, kernel_size)
        self.gates = nn.ModuleList(nn.Conv1d(dim, 2 * dim, kernel_size, dilation=one) for one in dilations)
        # Nothing stands above the last layer's residual connection.
        self.residuals = nn.ModuleList(nn.Conv1d(dim, dim, 1) for _ in range(count - 1))
        self.skips = nn.ModuleList(nn.Conv1d(dim, skip_dim, 1) for _ in range(count))
        self.hidden_output = nn.Conv1d(skip_dim, skip_dim, 1)
        self.logits = nn.Conv1d(skip_dim, LEVELS, 1)

    def forward(self, levels: torch.Tensor) -> torch.Tensor:
        past = self.kernel_size - 1
        hidden = self.first(functional.pad(self.embedding(levels).transpose(1, 2), (past, 0)))
        skips = None
        for index, (gate, skip, dilation) in enumerate(zip(self.gates, self.skips, self.dilations, strict=True)):
            passing, opening = gate(functional.pad(hidden, (past * dilation, 0))).chunk(2, dim=1)
            gated = torch.tanh(passing) * torch.sigmoid(opening)
            skips = skip(gated) if skips is None else skips + skip(gated)
            if index < len(self.residuals):
                hidden = hidden + self.residuals[index](gated)
        return self.logits(functional.relu(self.hidden_output(functional.relu(skips))))


class Step(nn.Module):
    """One sample from one more past sample (Le Paine et al., 2016), with all that layers can share done at once."""

    def __init__(self, model: WaveNet) -> None:
        super().__init__()
        self.dim = model.embedding.embedding_dim

        def keep(name: str, value: torch.Tensor) -> None:
            self.register_buffer(name, value.detach().clone().contiguous())

        def taps(layer: nn.Conv1d) -> torch.Tensor:
            return layer.weight.permute(2, 1, 0)  # (K, in, out)

        gates = torch.stack([taps(layer) for layer in model.gates])
        keep("embedding", model.embedding.weight)
        keep("first", taps(model.first).flatten(0, 1))
        keep("first_bias", model.first.bias)
        keep("past_kernels", gates[:, :-1].flatten(1, 2))  # (L, P * D, 2D)
        keep("present", gates[:, -1])
        keep("gate_bias", torch.stack([layer.bias for layer in model.gates])[:, None])
        keep("residual", torch.stack([taps(layer)[0] for layer in model.residuals]))
        keep("residual_bias", torch.stack([layer.bias for layer in model.residuals]))
        keep("skip", torch.cat([taps(layer)[0] for layer in model.skips]))  # (L * D, S)
        keep("skip_bias", torch.stack([layer.bias for layer in model.skips]).sum(0))
        keep("hidden_output", taps(model.hidden_output)[0])
        keep("hidden_bias", model.hidden_output.bias)
        keep("output", taps(model.logits)[0])
        keep("output_bias", model.logits.bias)

    def logits(self, past: torch.Tensor, levels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What the convolutions saw, (1 + L, B, P * D), and the last levels (B,) to logits (B, 256) and what they see
        now, (1 + L, B, D).
        """
        embedded = functional.embedding(levels, self.embedding)
        hidden = torch.addmm(self.first_bias, torch.cat([past[0], embedded], dim=1), self.first)
        waiting = torch.baddbmm(self.gate_bias, past[1:], self.past_kernels).unbind()
        seen, all_gated = [embedded], []
        residuals = list(zip(self.residual.unbind(), self.residual_bias.unbind(), strict=True))
        for index, (before, present) in enumerate(zip(waiting, self.present.unbind(), strict=True)):
            seen.append(hidden)
            both = torch.addmm(before, hidden, present)
            gated = torch.tanh(both[:, : self.dim]) * torch.sigmoid(both[:, self.dim :])
            all_gated.append(gated)
            if index < len(residuals):
                kernel, bias = residuals[index]
                hidden = torch.addmm(hidden + bias, gated, kernel)
        skips = torch.addmm(self.skip_bias, torch.cat(all_gated, dim=1), self.skip)
        last = torch.addmm(self.hidden_bias, functional.relu(skips), self.hidden_output)
        return torch.addmm(self.output_bias, functional.relu(last), self.output), torch.stack(seen)

    def forward(
        self, past: torch.Tensor, levels: torch.Tensor, noise: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draws the next levels (B,) with `noise` in [0, 1), (B, 1); and what the convolutions see now."""
        logits, seen = self.logits(past, levels)
        return draw(logits, noise), seen


class Queues:
    """What the convolutions saw, in one preallocated tensor of rings."""

    def __init__(self, model: WaveNet, rows: int) -> None:
        taps = model.kernel_size - 1
        dilations = torch.tensor([1, *model.dilations])
        sizes = taps * dilations
        starts = torch.cumsum(sizes, 0) - sizes
        # Dilations are powers of two: the longest ring's period is everyone's.
        times = torch.arange(int(sizes.max()))[:, None, None]
        ages = dilations[:, None] * torch.arange(taps)
        places = starts[:, None] + (times + ages) % sizes[:, None]  # (period, 1 + L, P)
        self._read, self._write = places.flatten(1).unbind(), places[:, :, 0].unbind()
        self._shape = (len(dilations), taps, rows, model.embedding.embedding_dim)
        self._values = torch.zeros(int(sizes.sum()), *self._shape[2:])

    def read(self, time: int) -> torch.Tensor:
        """What the convolutions need at this time, (1 + L, B, P * D)."""
        found = self._values.index_select(0, self._read[time % len(self._read)])
        return found.view(self._shape).transpose(1, 2).flatten(2)

    def write(self, time: int, seen: torch.Tensor) -> None:
        """Puts what they see, (1 + L, B, D), over the oldest."""
        self._values.index_copy_(0, self._write[time % len(self._write)], seen)


def draw(logits: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Inverts the distribution: logits (B, 256) and noise (B, 1) to levels (B,)."""
    reached = torch.cumsum(torch.softmax(logits, dim=-1), dim=-1)
    return torch.searchsorted(reached, noise, right=True).clamp_(max=LEVELS - 1).squeeze(1)
