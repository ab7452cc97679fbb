"""The file that describes seqline.serving.GenerationService, for reflection and for stubs in any language.

It is made of the messages that client and server use, so there is nothing to generate and nothing to keep alike.
"""

from google.protobuf import descriptor_pb2
from tensorflow_serving.apis import model_pb2

from serving.wire.messages import GenerateRequest, GenerateResponse

SERVICE = "seqline.serving.GenerationService"


def generation_file() -> descriptor_pb2.FileDescriptorProto:
    """The messages and the service; it depends on the file of ModelSpec alone."""
    file = descriptor_pb2.FileDescriptorProto()
    GenerateRequest.DESCRIPTOR.file.CopyToProto(file)
    file.name = "seqline/serving/generation.proto"
    del file.dependency[:]
    file.dependency.append(model_pb2.DESCRIPTOR.name)
    file.service.add(name=SERVICE.rpartition(".")[2]).method.add(
        name="Generate",
        input_type=f".{GenerateRequest.DESCRIPTOR.full_name}",
        output_type=f".{GenerateResponse.DESCRIPTOR.full_name}",
        server_streaming=True,
    )
    return file
