"""Training steps of a tiny model."""

from benchmarks.audio.training import Plan, measure, table
from benchmarks.audio.untrained import settings_of
from models.run_settings import RunSettings


def test_our_training_step_is_measured():
    plan = Plan(2, 64, steps=2, rounds=1, threads=1, jit_compile=False, torch=False, torch_compile=False)
    given = settings_of(8, 16, dilation_depth=3, num_stacks=1, sample_rate=8000)
    settings = RunSettings.model_validate(given | {"training": {"batch_size": 2}}).model_dump(mode="json")
    result = measure(settings, plan)
    (figure,) = result["figures"]
    assert figure["samples"] == 2 * 64 * 2
    assert figure["first_seconds"] > 0
    facts = {"settings": settings, "batch_size": 2, "length": 64, "rounds": 1, "steps": 2, "threads": 1}
    assert "| seqline |" in table(facts | {"processors": 2} | result)
