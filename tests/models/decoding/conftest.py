import pytest


@pytest.fixture(autouse=True)
def _fresh_keras():
    """Nothing: decoding knows no Keras, and to clear its session takes a third of a second."""
