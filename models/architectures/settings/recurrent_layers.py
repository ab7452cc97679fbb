"""What the architectures of recurrent layers have in common: the keys that say of what the layers are made."""

from typing import Any, Literal

import pydantic

from models.architectures.settings.sequence import SequenceSettings


class RecurrentLayersSettings(SequenceSettings):
    """Cells, what joins their layers, and what is dropped between them."""

    cell: Literal["lstm", "gru", "simple"] = "lstm"
    """Recurrent cell of every layer: lstm, with input, forget and output gates and a memory (Hochreiter and
    Schmidhuber, 1997; Gers et al., 2000); gru, with update and reset gates (Cho et al., 2014); simple, a tanh layer
    that also reads what it gave the step before (Elman, 1990)."""
    num_layers: int = pydantic.Field(1, ge=1)
    """Recurrent layers, one over the other."""
    connections: Literal["none", "residual", "highway", "dense"] = "none"
    """What joins the layers from the second one on: residual adds what a layer reads to what it gives (He et al.,
    2016); highway weighs the two by a gate (Srivastava et al., 2015); dense lets a layer read the input and all layers
    below (Huang et al., 2017)."""
    variational_dropout: bool = False
    """Draw what is dropped between layers once for all positions of a sequence (Gal and Ghahramani, 2016), not for each
    of them anew. What is dropped of embeddings and before the output stays drawn for each position."""
    recurrent_dropout: float = pydantic.Field(0.0, ge=0, lt=1)
    """Share of each layer's state that its gates do not see, drawn once for all positions (Gal and Ghahramani, 2016);
    what a cell remembers is never dropped."""
    layer_normalization: bool = False
    """Normalise the summed inputs of the cells (Ba et al., 2016)."""

    @property
    def slow_on_gpu(self) -> dict[str, str]:
        """What leaves cuDNN's kernel, which computes a whole layer at once.

        Its other conditions always hold here: Keras's own activations, biases, a GRU's reset gate after the product,
        loops that are not unrolled, padding at the right.
        """
        reasons = {
            "cell": "cuDNN is asked for lstm and gru alone" if self.cell == "simple" else "",
            "recurrent_dropout": "cuDNN drops nothing of the states" if self.recurrent_dropout else "",
            "layer_normalization": "cuDNN's cells do not normalise" if self.layer_normalization else "",
        }
        return {key: reason for key, reason in reasons.items() if reason}

    @pydantic.model_validator(mode="before")
    @classmethod
    def _renamed(cls, values: Any) -> Any:
        if isinstance(values, dict) and "residual" in values:
            new = "residual" if values["residual"] else "none"
            raise ValueError(
                f"model.residual is one of several connections now; write model.connections: {new} in its place. "
                f"Received: {str(values['residual']).lower()}"
            )
        return values
