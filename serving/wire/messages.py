"""The messages of `serving.wire.schema`, without TensorFlow.

They are made in a pool of their own, so they live beside the official modules in one process.
"""

from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

from serving.wire.schema import GENERATION, SERVING, TENSORFLOW

_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGES = {"tensorflow": TENSORFLOW, "tensorflow.serving": SERVING, "seqline.serving": GENERATION}


def _make_pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    files = []
    for module in (any_pb2, wrappers_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
        files.append(module.DESCRIPTOR.name)
    for package, table in _PACKAGES.items():
        file = descriptor_pb2.FileDescriptorProto(
            name=f"{package}.proto", package=package, syntax="proto3", dependency=files
        )
        _fill_file(file, table)
        pool.AddSerializedFile(file.SerializeToString())
        files.append(file.name)
    return pool


def _fill_file(file: descriptor_pb2.FileDescriptorProto, table: dict[str, Any]) -> None:
    messages: dict[str, Any] = {}
    for name, entries in table.items():
        outer, _, own = name.rpartition(".")
        place: Any = messages[outer] if outer else file
        if all(isinstance(entry, int) for entry in entries.values()):
            enum = place.enum_type.add(name=own)
            for value, number in entries.items():
                enum.value.add(name=value, number=number)
            continue
        messages[name] = (place.nested_type if outer else place.message_type).add(name=own)
        for field, (number, kind) in entries.items():
            _add_field(messages[name], field, number, kind)


def _add_field(message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str) -> None:
    kind, _, oneof = kind.partition(" in ")
    prefix, _, kind = kind.rpartition(" ")
    field = message.field.add(name=name, number=number)
    field.label = _Field.LABEL_REPEATED if prefix in ("repeated", "map") else _Field.LABEL_OPTIONAL
    if prefix == "optional":
        field.proto3_optional, oneof = True, f"_{name}"
    if oneof:
        if oneof not in (known := [each.name for each in message.oneof_decl]):
            message.oneof_decl.add(name=oneof)
            known.append(oneof)
        field.oneof_index = known.index(oneof)
    if prefix == "map":
        entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        _add_field(entry, "key", 1, "string")
        _add_field(entry, "value", 2, kind)
        kind = entry.name
    if (scalar := f"TYPE_{kind.upper()}") in _Field.Type.keys():  # noqa: SIM118
        field.type = _Field.Type.Value(scalar)
    else:
        field.type_name = kind  # the pool finds out whether message or enumeration


POOL = _make_pool()


def _message(name: str, package: str = "tensorflow") -> Any:
    return message_factory.GetMessageClass(POOL.FindMessageTypeByName(f"{package}.{name}"))


TensorProto = _message("TensorProto")
Example = _message("Example")
SignatureDefMap = _message("serving.SignatureDefMap")
ModelSpec = _message("serving.ModelSpec")
Input = _message("serving.Input")
InferenceTask = _message("serving.InferenceTask")
ModelVersionStatus = _message("serving.ModelVersionStatus")
PredictRequest = _message("serving.PredictRequest")
PredictResponse = _message("serving.PredictResponse")
ClassificationRequest = _message("serving.ClassificationRequest")
ClassificationResponse = _message("serving.ClassificationResponse")
RegressionRequest = _message("serving.RegressionRequest")
RegressionResponse = _message("serving.RegressionResponse")
MultiInferenceRequest = _message("serving.MultiInferenceRequest")
MultiInferenceResponse = _message("serving.MultiInferenceResponse")
GetModelStatusRequest = _message("serving.GetModelStatusRequest")
GetModelStatusResponse = _message("serving.GetModelStatusResponse")
GetModelMetadataRequest = _message("serving.GetModelMetadataRequest")
GetModelMetadataResponse = _message("serving.GetModelMetadataResponse")
GenerateRequest = _message("GenerateRequest", "seqline.serving")
GenerateResponse = _message("GenerateResponse", "seqline.serving")
