from pathlib import Path

import pytest

from pipeline.config.config import load
from pipeline.config.remarks import slow_on_gpu

ROOT = Path(__file__).parents[3]
DATES, REVIEWS, DIGITS = ROOT / "pipeline_config.yaml", "configs/sentiment_rt.yaml", "configs/digits_wavenet.yaml"


@pytest.mark.parametrize(
    ("override", "remark"),
    [
        ("model.cell=simple", "model.cell simple: cuDNN is asked for lstm and gru alone"),
        ("model.recurrent_dropout=0.2", "model.recurrent_dropout 0.2: cuDNN drops nothing of the states"),
        ("model.layer_normalization=true", "model.layer_normalization true: cuDNN's cells do not normalise"),
    ],
)
def test_a_setting_that_loses_the_fast_kernel_is_named_with_the_reason(override, remark):
    [found] = slow_on_gpu(load(DATES, [override]))
    assert found == f"{remark}; on a GPU the encoder then goes step by step, much slower"


@pytest.mark.parametrize("file", [DATES, REVIEWS, DIGITS], ids=str)
def test_what_loses_nothing_is_not_remarked_on(file):
    overrides = ["model.cell=gru", "model.variational_dropout=true"] if file == DATES else []
    assert list(slow_on_gpu(load(ROOT / file, overrides))) == []
