"""Chromium for the tests that open pages in a real browser; they are skipped where it is not installed."""

import shutil
import time

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 120.0
"""Seconds, for machines that are busy with other tests."""

_QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--no-default-browser-check", "--disable-default-apps",
    "--disable-extensions", "--metrics-recording-only", "--disable-dev-shm-usage",
]  # fmt: skip

MARKS = [
    pytest.mark.thorough,
    pytest.mark.skipif(_CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium"),
]
"""The marks of a module with such tests."""


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=_CHROMIUM, headless=True, args=_QUIET)
        yield chromium
        chromium.close()


def new_page(browser, width=1280):
    """A new page of the browser, 900 pixels high."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(1000 * PATIENCE)
    return page


def until(page, condition, seconds=PATIENCE):
    """Wait for a condition; playwright's own way to wait is what the page's content security policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, (condition, page.inner_text("body"))
        page.wait_for_timeout(20)
