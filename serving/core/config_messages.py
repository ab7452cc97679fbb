"""Messages of TensorFlow Serving's configuration files that its Python package leaves out.

The files are text, so the names and types of the fields are what counts; the numbers follow their order.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "seqline.serving"
_INT64, _BOOL, _STRING = ".google.protobuf.Int64Value", ".google.protobuf.BoolValue", ".google.protobuf.StringValue"
# Message to field to type: the name of a message type, or a plain type.
_MESSAGES: dict[str, dict[str, str | int]] = {
    "SSLConfig": {
        "server_key": _Field.TYPE_STRING,
        "server_cert": _Field.TYPE_STRING,
        "custom_ca": _Field.TYPE_STRING,
        "client_verify": _Field.TYPE_BOOL,
    },
    "PrometheusConfig": {"enable": _Field.TYPE_BOOL, "path": _Field.TYPE_STRING},
    "MonitoringConfig": {"prometheus_config": f".{_PACKAGE}.PrometheusConfig"},
    "BatchingParameters": {
        "max_batch_size": _INT64,
        "batch_timeout_micros": _INT64,
        "max_enqueued_batches": _INT64,
        "num_batch_threads": _INT64,
        "thread_pool_name": _STRING,
        "allowed_batch_sizes": _Field.TYPE_INT64,
        "pad_variable_length_inputs": _Field.TYPE_BOOL,
        "enable_large_batch_splitting": _BOOL,
        "max_execution_batch_size": _INT64,
    },
}
_REPEATED = {"allowed_batch_sizes"}


def _make() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="seqline/serving/config.proto",
        package=_PACKAGE,
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    for message, fields in _MESSAGES.items():
        entry = file.message_type.add(name=message)
        for number, (name, kind) in enumerate(fields.items(), start=1):
            label = _Field.LABEL_REPEATED if name in _REPEATED else _Field.LABEL_OPTIONAL
            field = entry.field.add(name=name, number=number, label=label)
            if isinstance(kind, str):
                field.type, field.type_name = _Field.TYPE_MESSAGE, kind
            else:
                field.type = kind  # type: ignore[assignment]
    pool = descriptor_pool.DescriptorPool()
    for made in (wrappers_pb2.DESCRIPTOR.serialized_pb, file.SerializeToString()):
        pool.AddSerializedFile(made)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


_CLASSES = _make()
# Keys and certificates of the gRPC port.
SSLConfig: Any = _CLASSES["SSLConfig"]
# Where metrics are served.
MonitoringConfig: Any = _CLASSES["MonitoringConfig"]
# How requests are merged.
BatchingParameters: Any = _CLASSES["BatchingParameters"]
