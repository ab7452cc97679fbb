import importlib

import tensorflow as tf

from models import xla
from tests.models.xla import without_xla


def answer_of_a_new_graph() -> bool:
    """What was compiled once is not compiled again, so each answer needs functions of its own."""
    return bool(tf.function(importlib.reload(xla).is_xla_available)())


def test_a_graph_knows_whether_it_is_compiled():
    assert answer_of_a_new_graph()
    with without_xla():
        assert not answer_of_a_new_graph()
    assert answer_of_a_new_graph()
