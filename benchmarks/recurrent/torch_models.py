"""The same models in PyTorch, by its plain means: `nn.LSTM` wherever it can compute a whole sequence.

B: batch, S: source tokens, T: target tokens, H: `hidden_dim`.
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

MASKED_SCORE = -1e9
NUM_LABELS = 2


class Classifier(nn.Module):
    """Reads from both ends; the mean and the maximum of all positions decide. Token ids (B, T) to logits (B, 2)."""

    def __init__(self, pieces: int, model: dict[str, Any]) -> None:
        super().__init__()
        dim, hidden = model["embedding_dim"], model["hidden_dim"]
        self.embedding = nn.Embedding(pieces, dim)
        self.lstm = nn.LSTM(dim, hidden, model["num_layers"], batch_first=True, bidirectional=True)
        self.output = nn.Linear(4 * hidden, NUM_LABELS)

    def forward(self, token_ids: torch.Tensor) -> torch.Tensor:
        states, _ = self.lstm(self.embedding(token_ids))
        return self.output(torch.cat([states.mean(1), states.amax(1)], -1))


class Seq2Seq(nn.Module):
    """Additive attention before each step of the decoder (Bahdanau et al., 2015); the rest is done at once.

    Token ids (B, S) and (B, T) to logits (B, T, V).
    """

    def __init__(self, pieces: int, model: dict[str, Any]) -> None:
        super().__init__()
        dim, hidden = model["embedding_dim"], model["hidden_dim"]
        self.source_embedding, self.target_embedding = nn.Embedding(pieces, dim), nn.Embedding(pieces, dim)
        self.encoder = nn.LSTM(dim, hidden // 2, batch_first=True, bidirectional=True)
        self.bridge_h, self.bridge_c = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        self.query, self.key = nn.Linear(hidden, hidden, bias=False), nn.Linear(hidden, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)
        self.cell = nn.LSTMCell(dim + hidden, hidden)
        self.combination = nn.Linear(2 * hidden + dim, hidden)
        self.projection = nn.Linear(hidden, pieces)

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        values, (last_h, last_c) = self.encoder(self.source_embedding(source))
        h = torch.tanh(self.bridge_h(torch.cat(last_h.unbind(), -1)))
        c = self.bridge_c(torch.cat(last_c.unbind(), -1))
        keys, padding = self.key(values), source == 0
        vectors = self.target_embedding(target)
        outputs, contexts = [], []
        for vector in vectors.unbind(1):
            scores = self.score(torch.tanh(self.query(h)[:, None] + keys)).squeeze(-1)
            weights = functional.softmax(scores.float().masked_fill(padding, MASKED_SCORE), dim=-1)
            context = torch.bmm(weights[:, None].to(values.dtype), values).squeeze(1)
            h, c = self.cell(torch.cat([vector, context], -1), (h, c))
            outputs.append(h)
            contexts.append(context)
        seen = torch.cat([torch.stack(outputs, 1), torch.stack(contexts, 1), vectors], -1)
        return self.projection(torch.tanh(self.combination(seen)))


class LanguageModel(nn.Module):
    """Goes on from the states in which the batch before ended. Token ids (B, T) to logits (B, T, V)."""

    def __init__(self, pieces: int, model: dict[str, Any]) -> None:
        super().__init__()
        dim, hidden = model["embedding_dim"], model["hidden_dim"]
        self.embedding = nn.Embedding(pieces, dim)
        self.lstm = nn.LSTM(dim, hidden, model["num_layers"], batch_first=True)
        self.projection = nn.Linear(hidden, pieces)
        self.states: tuple[torch.Tensor, torch.Tensor] | None = None

    def forward(self, token_ids: torch.Tensor) -> torch.Tensor:
        outputs, states = self.lstm(self.embedding(token_ids), self.states)
        self.states = (states[0].detach(), states[1].detach())
        return self.projection(outputs)


MODELS: dict[str, type[Any]] = {
    "text_classification": Classifier,
    "text_to_text": Seq2Seq,
    "language_modeling": LanguageModel,
}


def parameters_of(model: nn.Module) -> int:
    """Weights, without the second of the two biases that PyTorch gives to each recurrent layer."""
    return sum(one.numel() for name, one in model.named_parameters() if "bias_hh" not in name)
