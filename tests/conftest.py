"""The order of the tests, and a browser for those of pages."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

LONG = ("real_data", "e2e", "minutes")
CONTAINED = Path(__file__).parents[1] / ".browser"
NAMES = ("chromium-headless-shell", "chromium", "google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with long tests first, so that no worker is left alone with one of them at the end."""
    long_files = {item.path for item in items if any(item.get_closest_marker(name) for name in LONG)}
    items.sort(key=lambda item: item.path not in long_files)


# Not for the session: while it is open, asyncio.run() is refused in this thread.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium without a window: the one that scripts/browser.sh unpacked, or one on the PATH."""
    environment: dict[str, str | float | bool] = dict(os.environ)
    program: str | None = str(CONTAINED / "usr/lib/chromium/chromium-headless-shell")
    if CONTAINED.exists():
        libraries = CONTAINED / "usr/lib/x86_64-linux-gnu"
        environment["LD_LIBRARY_PATH"] = f"{libraries}:{libraries / 'pulseaudio'}"
        environment["XDG_DATA_HOME"] = str(CONTAINED / "usr/share")
    else:
        program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"no browser: scripts/browser.sh found none, and none of {', '.join(NAMES)} is on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, env=environment)
        yield browser
        browser.close()
