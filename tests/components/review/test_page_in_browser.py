"""The page as a person opens it."""

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from components.review.clips.drawing import draw_media
from components.review.page import render_page
from components.review.result import Sample
from tests.components.review.test_page import clip, result

# Browsers play no less than 3,000 samples a second, so the tiny models of the other tests are of no use here.
RATE = 8000
SOUNDS = 3


def sounding(one: Sample, num_samples: int) -> Sample:
    """The clip with a tone that fades, as `review` stores it."""
    time = np.arange(num_samples) / RATE
    samples = (np.sin(2 * np.pi * 440 * time) * np.exp(-4 * time)).astype(np.float32)
    facts = {**one.facts, "num_samples": num_samples}
    return one.model_copy(update={"facts": facts, "media": draw_media(one.title, samples, RATE, "x.wav")})


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    clips = [clip("seven", "seven", held_out=True), clip("seven", "seven"), clip("seven", "nine", seed=5)]
    clips = [sounding(one, 3000 + 1000 * index) for index, one in enumerate(clips)]
    file = tmp_path_factory.mktemp("page") / "page.html"
    file.write_text(render_page(result(clips)), encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def page(browser: Browser, address: str):
    page = browser.new_page()
    complaints: list[str] = []
    fetched: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(address)
    yield page
    assert complaints == []
    assert [url for url in fetched if not url.startswith("data:")] == [address]
    page.close()


def test_each_sound_plays_for_as_long_as_the_page_says(page: Page):
    durations = page.eval_on_selector_all(
        "audio",
        """all => Promise.all(all.map(audio => new Promise((done, fail) => {
            audio.onloadedmetadata = () => done(audio.duration)
            audio.onerror = () => fail(audio.error.message)
            audio.load()
        })))""",
    )
    captions = page.locator("figcaption").all_inner_texts()
    assert len(durations) == len(captions) == SOUNDS
    for duration, caption in zip(durations, captions, strict=True):
        assert f", {duration:.2f} s" in caption
    played = page.locator("audio").first.evaluate(
        """audio => new Promise(done => {
            audio.onended = () => done(audio.currentTime)
            audio.muted = true
            audio.play()
        })"""
    )
    assert played == durations[0]


def test_pictures_are_drawn(page: Page):
    widths = page.eval_on_selector_all("img", "all => all.map(image => image.complete && image.naturalWidth)")
    assert len(widths) == SOUNDS and all(width > 1 for width in widths)
    boxes = page.eval_on_selector_all("svg path", "all => all.map(path => path.getBoundingClientRect().height)")
    assert len(boxes) == SOUNDS and all(height > 1 for height in boxes)


def test_a_narrow_screen_shows_all_of_it(page: Page):
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    region = page.get_by_role("region", name="Clips by label")
    assert region.evaluate("region => region.scrollWidth > region.clientWidth"), "the table scrolls in its region"
    page.keyboard.press("Tab")
    assert region.evaluate("region => region === document.activeElement"), "which the keyboard reaches"


def test_a_dark_screen_stays_dark(page: Page):
    page.emulate_media(color_scheme="dark")
    back, text = (page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color"))
    assert _brightness(back) < 40 and _brightness(text) > 200


def _brightness(colour: str) -> float:
    channels = [int(part) for part in colour.removeprefix("rgb(").rstrip(")").split(",")]
    return sum(channels) / len(channels)
