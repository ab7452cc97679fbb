"""Makes requests of the V2 inference protocol with MLServer's own messages.

Reads a JSON object with `name`, `alias` and `texts` (a list of groups) from standard input; prints base64, one word for
each group.
"""

import base64
import json
import sys

from mlserver.codecs import StringCodec
from mlserver.grpc.converters import ModelInferRequestConverter
from mlserver.types import InferenceRequest

job = json.load(sys.stdin)
requests = []
for texts in job["texts"]:
    request = InferenceRequest(inputs=[StringCodec.encode_input(job["alias"], texts)])
    message = ModelInferRequestConverter.from_types(request, job["name"])
    requests.append(base64.b64encode(message.SerializeToString()).decode())
print(" ".join(requests))
