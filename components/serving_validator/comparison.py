"""Answers of the server beside those of the model in process."""

from concurrent import futures

from components.errors import NotServableError
from components.sameness import Tensors, find_difference, stack
from serving.client import Client
from serving.errors import ServingError


def compare_served(client: Client, signature: str, inputs: Tensors, expected: Tensors) -> None:
    """Asks for all examples in one request, then for each alone, all at the same time as clients do.

    Raises:
        NotServableError: an answer differs from `expected`, or there is none.
    """
    size = len(next(iter(inputs.values())))
    together = f"{size} examples together"
    questions = {together: slice(0, size)} | {f"example {i} alone": slice(i, i + 1) for i in range(size)}

    def ask(rows: slice) -> Tensors:
        return client.predict({name: values[rows] for name, values in inputs.items()}, signature)

    with futures.ThreadPoolExecutor(max_workers=8) as pool:
        asked = {question: pool.submit(ask, rows) for question, rows in questions.items()}
    answers = {question: _answer(answer, f"signature {signature}, {question}") for question, answer in asked.items()}
    _compare(signature, together, expected, answers.pop(together))
    try:
        alone = stack(list(answers.values()))
    except ValueError as error:
        raise NotServableError(f"signature {signature}, each example alone: {error}") from error
    _compare(signature, "", expected, alone)


def _answer(asked: "futures.Future[Tensors]", where: str) -> Tensors:
    try:
        return asked.result()
    except ServingError as error:
        raise NotServableError(f"{where}: the server refused the request: {error}") from error


def _compare(signature: str, question: str, expected: Tensors, received: Tensors) -> None:
    if difference := find_difference(expected, received):
        alone = "each example alone" if difference.row is None else f"example {difference.row} alone"
        raise NotServableError(f"signature {signature}, {question or alone}: {difference.text}")
