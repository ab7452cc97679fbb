"""Changes of a message that leave it a message: they walk its descriptors, whatever it is."""

import random
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.serving.fuzz import values

_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_MANY = (1, 1, 2, 3, 100)
_WIRE_TYPES = 8  # two of them do not exist


def mutate(message: Message, rng: random.Random, changes: int) -> None:
    """Changes a message in place, anywhere inside it.

    Args:
        message: Any message.
        rng: Decides.
        changes: How many.
    """
    for _ in range(changes):
        owner = rng.choice(list(parts_of(message)))
        if rng.random() < 0.05:
            _add_unknown_field(owner, rng)
        elif owner.DESCRIPTOR.fields:
            change_field(owner, rng.choice(owner.DESCRIPTOR.fields), rng)


def parts_of(message: Message) -> Iterator[Message]:
    """The message and every message inside it."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if _is_map(field):
            # Sorted: a map's own order differs from process to process.
            inner = [value[key] for key in sorted(value)] if _value_field(field).message_type else []
        else:
            inner = value if field.is_repeated else (value,)
        for part in inner:
            yield from parts_of(part)


def change_field(owner: Message, field: FieldDescriptor, rng: random.Random) -> None:
    """Sets, clears, grows or shrinks one field."""
    if rng.random() < 0.15:
        owner.ClearField(field.name)
    elif _is_map(field):
        _change_map(getattr(owner, field.name), field, rng)
    elif field.is_repeated:
        _change_list(getattr(owner, field.name), field, rng)
    elif field.message_type:
        _fill(getattr(owner, field.name), rng)
    else:
        setattr(owner, field.name, scalar(field, rng))


def scalar(field: FieldDescriptor, rng: random.Random) -> Any:
    """A value that the field can hold."""
    kind = field.cpp_type
    if kind in _INTEGERS:
        return values.integer(rng, *_INTEGERS[kind])
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        return rng.choice((rng.choice(field.enum_type.values).number, rng.choice((-1, 77, 2**31 - 1))))
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return rng.random() < 0.5
    if kind in (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE):
        return values.real(rng)
    return values.noise(rng) if field.type == FieldDescriptor.TYPE_BYTES else values.text(rng)


def _change_list(items: Any, field: FieldDescriptor, rng: random.Random) -> None:
    if items and rng.random() < 0.3:
        del items[rng.randrange(len(items))]
        return
    for _ in range(rng.choice(_MANY)):
        if not field.message_type:
            items.append(scalar(field, rng))
        elif items and rng.random() < 0.5:
            items.add().CopyFrom(items[rng.randrange(len(items) - 1)] if len(items) > 1 else items[0])
        else:
            _fill(items.add(), rng)


def _change_map(entries: Any, field: FieldDescriptor, rng: random.Random) -> None:
    old = rng.choice(sorted(entries)) if entries else None
    value_field, key = _value_field(field), scalar(field.message_type.fields_by_name["key"], rng)
    if not value_field.message_type:
        entries[key] = scalar(value_field, rng)
    elif old is None:
        _fill(entries[key], rng)
    else:
        entries[key].CopyFrom(entries[old])
    if old is not None and rng.random() < 0.5:
        entries.pop(old)


def _fill(message: Message, rng: random.Random) -> None:
    message.SetInParent()
    for field in message.DESCRIPTOR.fields:
        if rng.random() < 0.3 and not field.message_type:
            change_field(message, field, rng)


def _add_unknown_field(message: Message, rng: random.Random) -> None:
    key, length = rng.randint(1, 2**28) << 3 | rng.randrange(_WIRE_TYPES), rng.randint(0, 20)
    _quietly(message.MergeFromString, _varint(key) + _varint(length) + rng.randbytes(length))


def _quietly(merge: Callable[[bytes], Any], data: bytes) -> None:
    try:
        merge(data)
    except Exception:  # noqa: S110  # not every wire type takes these bytes; then nothing was added
        pass


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _is_map(field: FieldDescriptor) -> bool:
    return bool(field.message_type) and field.message_type.GetOptions().map_entry


def _value_field(field: FieldDescriptor) -> FieldDescriptor:
    return field.message_type.fields_by_name["value"]
