"""The API as .proto files, from which stubs in any language are made (`seqline protos`).

Python's protobuf knows no way back from descriptors to source, so it is written here: what the files of TensorFlow,
TensorFlow Serving and ours have in them, comments and services of extensions aside.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FieldDescriptor, FileDescriptor

from serving.grpc.reflection import service_pool

_FIELD = descriptor_pb2.FieldDescriptorProto
# The services; that of health comes with gRPC in every language.
_ROOTS = (
    "tensorflow_serving/apis/prediction_service.proto",
    "tensorflow_serving/apis/model_service.proto",
    "seqline/serving/generation.proto",
)
# Compilers bring these themselves.
_KNOWN = "google/protobuf/"
_FILE_OPTIONS = ("java_package", "java_outer_classname", "java_multiple_files", "go_package", "cc_enable_arenas")
_INDENT = "  "


def proto_files() -> dict[str, str]:
    """Path to content of each file of the API with all that it imports, but for protobuf's own."""
    pool, waiting, texts = service_pool(with_health=False), list(_ROOTS), {}
    while waiting:
        file: FileDescriptor = pool.FindFileByName(waiting.pop())
        if file.name in texts or file.name.startswith(_KNOWN):
            continue
        made = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(made)
        texts[file.name] = "\n".join(_file(made)) + "\n"
        waiting += [dependency.name for dependency in file.dependencies]
    return dict(sorted(texts.items()))


def write_protos(folder: Path) -> list[Path]:
    """Writes the files below a folder, which is made; returns them."""
    written = []
    for name, text in proto_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _file(file: descriptor_pb2.FileDescriptorProto) -> Iterator[str]:
    syntax = file.syntax or "proto2"
    yield f'syntax = "{syntax}";'
    yield ""
    yield f"package {file.package};"
    yield ""
    public = set(file.public_dependency)
    for index, name in enumerate(file.dependency):
        yield f'import {"public " if index in public else ""}"{name}";'
    for option, value in file.options.ListFields():
        if option.name in _FILE_OPTIONS:
            yield f"option {option.name} = {_value(option, value)};"
    for enum in file.enum_type:
        yield from ["", *_enum(enum)]
    for message in file.message_type:
        yield from ["", *_message(message, syntax)]
    for service in file.service:
        yield from ["", *_service(service)]


def _message(message: descriptor_pb2.DescriptorProto, syntax: str) -> Iterator[str]:
    yield f"message {message.name} {{"
    entries = {one.name: one for one in message.nested_type if one.options.map_entry}
    body: list[str] = [*_reserved(message)]
    for enum in message.enum_type:
        body += _enum(enum)
    for nested in message.nested_type:
        if nested.name not in entries:
            body += _message(nested, syntax)
    body += _fields(message, entries, syntax)
    yield from _indented(body)
    yield "}"


def _fields(message: descriptor_pb2.DescriptorProto, entries: dict[str, Any], syntax: str) -> Iterator[str]:
    begun: set[int] = set()
    for field in message.field:
        if not field.HasField("oneof_index") or field.proto3_optional:
            yield _field(field, entries, syntax)
        elif field.oneof_index not in begun:
            begun.add(field.oneof_index)
            yield f"oneof {message.oneof_decl[field.oneof_index].name} {{"
            members = [one for one in message.field if one.HasField("oneof_index") and one.oneof_index in begun]
            same = [one for one in members if one.oneof_index == field.oneof_index]
            yield from _indented([_field(one, entries, "oneof") for one in same])
            yield "}"


def _field(field: descriptor_pb2.FieldDescriptorProto, entries: dict[str, Any], syntax: str) -> str:
    kind, label = _type(field), ""
    entry = entries.get(field.type_name.rpartition(".")[2]) if field.type_name else None
    if entry is not None:
        key, value = entry.field
        kind = f"map<{_type(key)}, {_type(value)}>"
    elif field.label == _FIELD.LABEL_REPEATED:
        label = "repeated "
    elif field.proto3_optional or syntax == "proto2":
        label = "required " if field.label == _FIELD.LABEL_REQUIRED else "optional "
    options = [f"{option.name} = {_value(option, value)}" for option, value in field.options.ListFields()]
    if field.HasField("default_value"):
        plain = field.type not in (_FIELD.TYPE_STRING, _FIELD.TYPE_BYTES)
        options.append(f"default = {field.default_value if plain else _literal(field.default_value)}")
    given = f" [{', '.join(options)}]" if options else ""
    return f"{label}{kind} {field.name} = {field.number}{given};"


def _type(field: descriptor_pb2.FieldDescriptorProto) -> str:
    return field.type_name or _FIELD.Type.Name(field.type).removeprefix("TYPE_").lower()


def _enum(enum: descriptor_pb2.EnumDescriptorProto) -> Iterator[str]:
    yield f"enum {enum.name} {{"
    body = ["option allow_alias = true;"] if enum.options.allow_alias else []
    body += _reserved(enum, inclusive=True)
    body += [
        f"{value.name} = {value.number}{' [deprecated = true]' if value.options.deprecated else ''};"
        for value in enum.value
    ]
    yield from _indented(body)
    yield "}"


def _reserved(made: Any, inclusive: bool = False) -> Iterator[str]:
    """Numbers and names that are kept free; of messages a range ends before its end, of enumerations at it."""
    ranges = [(one.start, one.end if inclusive else one.end - 1) for one in made.reserved_range]
    if ranges:
        yield f"reserved {', '.join(str(first) if first == last else f'{first} to {last}' for first, last in ranges)};"
    if made.reserved_name:
        yield f"reserved {', '.join(map(_literal, made.reserved_name))};"


def _service(service: descriptor_pb2.ServiceDescriptorProto) -> Iterator[str]:
    yield f"service {service.name} {{"
    for method in service.method:
        asked = f"{'stream ' if method.client_streaming else ''}{method.input_type}"
        given = f"{'stream ' if method.server_streaming else ''}{method.output_type}"
        yield f"{_INDENT}rpc {method.name}({asked}) returns ({given});"
    yield "}"


def _indented(lines: Sequence[str]) -> Iterator[str]:
    return (f"{_INDENT}{line}" for line in lines)


def _value(option: FieldDescriptor, value: Any) -> str:
    return option.enum_type.values_by_number[value].name if option.enum_type else _literal(value)


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
