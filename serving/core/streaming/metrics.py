"""What is counted of the texts of one model that are written piece by piece."""

from dataclasses import dataclass

from serving.core.metrics import Metrics


@dataclass(frozen=True)
class StreamMetrics:
    """Counts for one model.

    Attributes:
        metrics: Of the server.
        model: Name of the model.
    """

    metrics: Metrics
    model: str

    def step(self) -> None:
        """Counts a step of the batch."""
        self.metrics.stream_steps.add(self.model)

    def end(self, reason: str, num_tokens: int = 0) -> None:
        """Counts a text that has ended, and the tokens that were drawn for it."""
        self.metrics.stream_ends.add(self.model, reason)
        self.metrics.stream_tokens.add(self.model, amount=num_tokens)
