"""The part of the TensorFlow Serving API that a client needs, as a table.

Fields that no client needs are left out; protobuf carries them along unread.
"""

from collections.abc import Mapping

_DTYPES = (
    "INVALID FLOAT DOUBLE INT32 UINT8 INT16 INT8 STRING COMPLEX64 INT64 BOOL QINT8 QUINT8 QINT32 BFLOAT16 QINT16 "
    "QUINT16 UINT16 COMPLEX128 HALF RESOURCE VARIANT UINT32 UINT64"
)
# Fields of a message: name to number and type, which may begin with "repeated", with "optional" where it matters
# whether it is there, or, for a map from string, with "map", and may end with "in ONEOF". Values of an enumeration:
# name to number.
Entries = Mapping[str, tuple[int, str]] | Mapping[str, int]

TENSORFLOW: dict[str, Entries] = {
    "DataType": {f"DT_{name}": number for number, name in enumerate(_DTYPES.split())},
    "TensorShapeProto": {"dim": (2, "repeated Dim"), "unknown_rank": (3, "bool")},
    "TensorShapeProto.Dim": {"size": (1, "int64"), "name": (2, "string")},
    "TensorProto": {
        "dtype": (1, "DataType"),
        "tensor_shape": (2, "TensorShapeProto"),
        "version_number": (3, "int32"),
        "tensor_content": (4, "bytes"),
        "half_val": (13, "repeated int32"),
        "float_val": (5, "repeated float"),
        "double_val": (6, "repeated double"),
        "int_val": (7, "repeated int32"),
        "string_val": (8, "repeated bytes"),
        "scomplex_val": (9, "repeated float"),
        "int64_val": (10, "repeated int64"),
        "bool_val": (11, "repeated bool"),
        "dcomplex_val": (12, "repeated double"),
        "uint32_val": (16, "repeated uint32"),
        "uint64_val": (17, "repeated uint64"),
    },
    "BytesList": {"value": (1, "repeated bytes")},
    "FloatList": {"value": (1, "repeated float")},
    "Int64List": {"value": (1, "repeated int64")},
    "Feature": {
        "bytes_list": (1, "BytesList in kind"),
        "float_list": (2, "FloatList in kind"),
        "int64_list": (3, "Int64List in kind"),
    },
    "Features": {"feature": (1, "map Feature")},
    "Example": {"features": (1, "Features")},
    "TensorInfo": {
        "name": (1, "string in encoding"),
        "dtype": (2, "DataType"),
        "tensor_shape": (3, "TensorShapeProto"),
    },
    "SignatureDef": {
        "inputs": (1, "map TensorInfo"),
        "outputs": (2, "map TensorInfo"),
        "method_name": (3, "string"),
        "defaults": (4, "map TensorProto"),
    },
}
SERVING: dict[str, Entries] = {
    "ModelSpec": {
        "name": (1, "string"),
        "version": (2, "google.protobuf.Int64Value in version_choice"),
        "version_label": (4, "string in version_choice"),
        "signature_name": (3, "string"),
    },
    "PredictRequest": {
        "model_spec": (1, "ModelSpec"),
        "inputs": (2, "map TensorProto"),
        "output_filter": (3, "repeated string"),
    },
    "PredictResponse": {"model_spec": (2, "ModelSpec"), "outputs": (1, "map TensorProto")},
    "ExampleList": {"examples": (1, "repeated Example")},
    "ExampleListWithContext": {"examples": (1, "repeated Example"), "context": (2, "Example")},
    "Input": {
        "example_list": (1, "ExampleList in kind"),
        "example_list_with_context": (2, "ExampleListWithContext in kind"),
    },
    "Class": {"label": (1, "string"), "score": (2, "float")},
    "Classifications": {"classes": (1, "repeated Class")},
    "ClassificationResult": {"classifications": (1, "repeated Classifications")},
    "ClassificationRequest": {"model_spec": (1, "ModelSpec"), "input": (2, "Input")},
    "ClassificationResponse": {"model_spec": (2, "ModelSpec"), "result": (1, "ClassificationResult")},
    "Regression": {"value": (1, "float")},
    "RegressionResult": {"regressions": (1, "repeated Regression")},
    "RegressionRequest": {"model_spec": (1, "ModelSpec"), "input": (2, "Input")},
    "RegressionResponse": {"model_spec": (2, "ModelSpec"), "result": (1, "RegressionResult")},
    "InferenceTask": {"model_spec": (1, "ModelSpec"), "method_name": (2, "string")},
    "InferenceResult": {
        "model_spec": (1, "ModelSpec"),
        "classification_result": (2, "ClassificationResult in result"),
        "regression_result": (3, "RegressionResult in result"),
    },
    "MultiInferenceRequest": {"tasks": (1, "repeated InferenceTask"), "input": (2, "Input")},
    "MultiInferenceResponse": {"results": (1, "repeated InferenceResult")},
    "StatusProto": {"error_message": (2, "string")},
    "ModelVersionStatus": {"version": (1, "int64"), "state": (2, "State"), "status": (3, "StatusProto")},
    "ModelVersionStatus.State": {
        "UNKNOWN": 0,
        "START": 10,
        "LOADING": 20,
        "AVAILABLE": 30,
        "UNLOADING": 40,
        "END": 50,
    },
    "GetModelStatusRequest": {"model_spec": (1, "ModelSpec")},
    "GetModelStatusResponse": {"model_version_status": (1, "repeated ModelVersionStatus")},
    "SignatureDefMap": {"signature_def": (1, "map SignatureDef")},
    "GetModelMetadataRequest": {"model_spec": (1, "ModelSpec"), "metadata_field": (2, "repeated string")},
    "GetModelMetadataResponse": {"model_spec": (1, "ModelSpec"), "metadata": (2, "map google.protobuf.Any")},
}
# Not of TensorFlow Serving.
GENERATION: dict[str, Entries] = {
    "GenerateRequest": {
        "model_spec": (1, "tensorflow.serving.ModelSpec"),
        "prompt": (2, "string"),
        "temperature": (3, "optional float"),
        "top_k": (4, "optional int32"),
        "top_p": (5, "optional float"),
        "max_length": (6, "optional int32"),
        "seed": (7, "optional int32"),
        "stop": (8, "repeated string"),
    },
    "GenerateResponse": {
        "model_spec": (1, "tensorflow.serving.ModelSpec"),
        "text": (2, "string"),
        "reason": (3, "string"),
        "score": (4, "float"),
        "num_tokens": (5, "int32"),
    },
}
