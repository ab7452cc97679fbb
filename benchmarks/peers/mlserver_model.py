"""MLServer's side: the SavedModel as a custom runtime, strings in and strings out, by its own codecs."""

from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput
from saved_model import hosted


class SavedModelRuntime(MLModel):
    """Its file of settings names this class."""

    async def load(self) -> bool:
        self._hosted = hosted()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        outputs = self._hosted(StringCodec.decode_input(payload.inputs[0]))
        return InferenceResponse(model_name=self.name, outputs=[_encode(*output) for output in outputs.items()])


def _encode(name: str, array) -> ResponseOutput:  # noqa: ANN001
    if array.dtype != object:
        return NumpyCodec.encode_output(name, array)
    encoded = StringCodec.encode_output(name, [text.decode() for text in array.flat])
    encoded.shape = list(array.shape)
    return encoded
