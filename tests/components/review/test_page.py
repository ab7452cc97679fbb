"""The page, read by an HTML parser."""

from html.parser import HTMLParser

import pytest

from components.review.clips.review import CLIPS, RECORDINGS, shortfalls
from components.review.page import render_page
from components.review.result import Medium, Outline, Picture, ReviewResult, Sample, Share, Sound

VOID = {"meta", "img", "br", "link", "input", "path"}


class Page(HTMLParser):
    """Elements with their attributes, and the text; complains about elements that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] != "style":
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def media(name: str) -> list[Medium]:
    return [
        Outline(text=f"Waveform of {name}, 0.50 seconds", low=[-0.5, -0.25], high=[0.5, 0.0]),
        Picture(text=f"Spectrogram of {name}, 0 to 4000 Hz", content="data:image/png;base64,AAAA"),
        Sound(text=f"Play {name}", content="data:audio/wav;base64,AAAA", file="clips/x.wav"),
    ]


def clip(label: str, heard: str | None, held_out: bool = False, seed: int = 4) -> Sample:
    title = "Recording" if held_out else f"Clip {seed}"
    facts = {"num_samples": 4000, "bits_per_sample": 2.345}
    return Sample(
        title=title,
        group=label,
        held_out=held_out,
        asked={"label": label, "speaker": "ann"},
        expected=label,
        answer=heard,
        certainty=None if heard is None else 0.876,
        facts=facts if held_out else {"seed": seed, "temperature": 1.0, **facts},
        media=media(", ".join(filter(None, [title, label, "ann"]))),
    )


def result(clips: list[Sample], **values) -> ReviewResult:
    shares = {CLIPS: Share(right=1, judged=2), RECORDINGS: Share(right=9, judged=10)}
    return ReviewResult.model_validate(
        {
            "review": "clips",
            "model": "digits",
            "judge": "ears, version 3",
            "metrics": {"recognized": 0.5, "recognized_real": 0.9},
            "shortfalls": [],
            "notes": [],
            "facts": {"sample_rate": 8000},
            "shares": {clips[0].group: shares},
            "samples": clips,
            **values,
        }
    )


JUDGED = [clip("seven", "seven", held_out=True), clip("seven", "seven"), clip("seven", "nine", seed=5)]


def test_what_was_asked_and_heard_is_told_in_words_not_by_colour_alone():
    text = " ".join(Page(render_page(result(JUDGED))).text.split())
    assert "✓ Heard: seven (88 %): right" in text
    assert "✗ Heard: nine (88 %): wrong" in text
    assert "Asked for: seven, ann" in text and "Spoken: seven, ann" in text
    assert "50 % of the clips recognized" in text and "90 % of the recordings recognized" in text
    assert "clips: 1 of 2 (50 %)" in text and "recordings: 9 of 10 (90 %)" in text
    assert "Judged by ears, version 3." in text
    assert "Clip 5, 0.50 s, 2.35 bits per sample" in text or "Clip 5, 0.50 s, 2.34 bits per sample" in text


def test_each_clip_can_be_played_and_seen_and_has_a_name_for_those_who_do_not_see():
    page = Page(render_page(result(JUDGED)))
    for tag in ("audio", "img", "svg"):
        assert len(page.all(tag)) == 3
    assert all("controls" in audio and audio["src"].startswith("data:audio/wav;base64,") for audio in page.all("audio"))
    assert [audio["aria-label"] for audio in page.all("audio")] == [
        "Play Recording, seven, ann",
        "Play Clip 4, seven, ann",
        "Play Clip 5, seven, ann",
    ]
    assert page.all("img")[1]["alt"] == "Spectrogram of Clip 4, seven, ann, 0 to 4000 Hz"
    assert page.all("svg")[1]["aria-label"] == "Waveform of Clip 4, seven, ann, 0.50 seconds"
    assert page.all("path")[0]["d"] == "M0 -0.5 L1 0 L1 0.25 L0 0.5 Z"
    assert [header["scope"] for header in page.all("th")] == ["col"] * 4 + ["row"]
    assert page.all("html") == [{"lang": "en"}]


def test_the_page_fetches_nothing():
    text = render_page(result(JUDGED))
    page = Page(text)
    sources = [value for _, attributes in page.elements for key, value in attributes.items() if key in ("src", "href")]
    assert sources and all(source.startswith("data:") for source in sources)
    assert "http:" not in text and "https:" not in text and "url(" not in text
    assert page.all("script") == [] and page.all("link") == []
    [policy] = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")


def test_a_label_cannot_become_part_of_the_page():
    evil = '"><script>alert(1)</script>'
    page = Page(render_page(result([clip(evil, evil, held_out=True), clip(evil, "x")], model=evil)))
    assert page.all("script") == []
    assert page.all("audio")[0]["aria-label"] == f"Play Recording, {evil}, ann"
    assert evil in page.text


def test_both_schemes_are_supported():
    page = Page(text := render_page(result(JUDGED)))
    assert {"name": "color-scheme", "content": "light dark"} in page.all("meta")
    assert "prefers-color-scheme: dark" in text


def test_clips_that_nobody_judged():
    clips = [clip("", None, seed=1)]
    nobody = Share(right=0, judged=0)
    shares = {"": {CLIPS: nobody, RECORDINGS: nobody}}
    unjudged = result(clips, judge=None, metrics={}, shares=shares, notes=["no recording"])
    text = " ".join(Page(render_page(unjudged)).text.split())
    assert "Nobody has judged them" in text and "not judged" in text and "Note: no recording." in text
    assert "Heard" not in text and "right" not in text
    assert "Speaker: ann" in text and "Asked for" not in text


def test_a_shortfall_stands_at_the_top():
    text = Page(render_page(result(JUDGED, shortfalls=shortfalls(0.5, 0.75)))).text
    assert "Not pushed: clips: recognized is 0.5; at least 0.75 was asked (clips.min_recognized)" in text


@pytest.mark.parametrize(("share", "shown"), [(0.0, "0 %"), (1.0, "100 %"), (0.305, "30 %")])
def test_shares_are_percentages(share, shown):
    assert f"<strong>{shown}</strong>" in render_page(result(JUDGED, metrics={"recognized": share}))
