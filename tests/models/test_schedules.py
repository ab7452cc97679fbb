import pytest

from models.schedules import WarmUpSchedule


def rate(course: str, step: int, warmup: int = 10, total: int = 110) -> float:
    return float(WarmUpSchedule(course, 0.1, warmup, total)(step))


@pytest.mark.parametrize("course", ["constant", "linear", "cosine", "inverse_sqrt"])
def test_rate_rises_to_the_peak(course):
    assert rate(course, 0) == pytest.approx(0.01)
    assert rate(course, 4) == pytest.approx(0.05)
    assert rate(course, 10) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("course", "middle", "end"), [("constant", 0.1, 0.1), ("linear", 0.05, 0.0), ("cosine", 0.05, 0.0)]
)
def test_course_after_the_peak(course, middle, end):
    assert rate(course, 60) == pytest.approx(middle, abs=1e-6)
    assert rate(course, 110) == pytest.approx(end, abs=1e-6)


def test_inverse_square_root():
    assert rate("inverse_sqrt", 40) == pytest.approx(0.05)


def test_halving_begins_at_a_step_and_goes_on_every_so_many():
    schedule = WarmUpSchedule("halving", 0.1, 10, 110, decay_start_step=60, decay_steps=20)
    expected = {9: 0.1, 59: 0.1, 60: 0.05, 79: 0.05, 80: 0.025, 100: 0.0125}
    assert {step: float(schedule(step)) for step in expected} == pytest.approx(expected)
    assert float(WarmUpSchedule.from_config(schedule.get_config())(80)) == pytest.approx(0.025)


def test_without_warm_up_the_first_step_has_the_peak():
    assert rate("constant", 0, warmup=0) == pytest.approx(0.1)
