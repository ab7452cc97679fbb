"""Requests that bring examples."""

import tensorflow as tf
from tensorflow_serving.apis import classification_pb2, inference_pb2, input_pb2, regression_pb2

CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"


def example(**features: float) -> tf.train.Example:
    made = tf.train.Example()
    for name, value in features.items():
        made.features.feature[name].float_list.value.append(value)
    return made


def example_list(*xs: float) -> input_pb2.Input:
    return input_pb2.Input(example_list=input_pb2.ExampleList(examples=[example(x=x) for x in xs]))


def with_context(context: tf.train.Example, *examples: tf.train.Example) -> input_pb2.Input:
    made = input_pb2.ExampleListWithContext(context=context, examples=examples)
    return input_pb2.Input(example_list_with_context=made)


def classify(stub, request_input, signature="", name="m"):
    request = classification_pb2.ClassificationRequest(input=request_input)
    request.model_spec.name, request.model_spec.signature_name = name, signature
    return stub.prediction.Classify(request, timeout=10)


def regress(stub, request_input, signature="regress", name="m"):
    request = regression_pb2.RegressionRequest(input=request_input)
    request.model_spec.name, request.model_spec.signature_name = name, signature
    return stub.prediction.Regress(request, timeout=10)


def multi(stub, request_input, *tasks: tuple[str, str], names=None):
    request = inference_pb2.MultiInferenceRequest(input=request_input)
    for index, (signature, method) in enumerate(tasks):
        task = request.tasks.add(method_name=method)
        task.model_spec.name = names[index] if names else "m"
        task.model_spec.signature_name = signature
    return stub.prediction.MultiInference(request, timeout=10)
