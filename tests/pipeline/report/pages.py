"""A page as a person opens it: from the disk, without any network."""

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

_MOST_BYTES = 5_000_000


def open_page(browser: Browser, file: Path) -> Page:
    """The page, which has asked for nothing but itself and has said nothing; what it says later is in `heard`."""
    assert file.stat().st_size < _MOST_BYTES
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.heard = []  # type: ignore[attr-defined]
    page.on("console", lambda message: page.heard.append(message.text))  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.heard.append(str(error)))  # type: ignore[attr-defined]
    page.on("request", lambda request: page.heard.append(request.url))  # type: ignore[attr-defined]
    page.goto(file.as_uri())
    assert page.heard == [file.as_uri()]  # type: ignore[attr-defined]
    return page


def looks_well(browser: Browser, file: Path) -> None:
    """No complaint of the page or of axe-core, fits a phone, and all that scrolls is reached by the keyboard."""
    page = open_page(browser, file)
    # What is folded is hidden, and would not be looked at.
    page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true })")
    assert page.locator("h1").count() == 1
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    assert page.eval_on_selector_all("svg", "all => all.every(svg => svg.getAttribute('aria-label'))")
    assert page.eval_on_selector_all(".wide", "all => all.every(one => one.tabIndex === 0 && one.ariaLabel)")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
