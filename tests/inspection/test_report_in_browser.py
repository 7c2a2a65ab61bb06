"""Reports opened in a real browser: nothing is asked of a network, no error, every figure is there, all of it moves."""

import shutil
import time
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium")
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--no-default-browser-check", "--disable-default-apps",
    "--disable-extensions", "--metrics-recording-only", "--disable-dev-shm-usage", "--disable-renderer-backgrounding",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, headless=True, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def alert_report(alert_page, tmp_path_factory):
    path = tmp_path_factory.mktemp("pages") / "alert.html"
    path.write_text(alert_page[0], encoding="utf-8")
    return path


@pytest.fixture
def opened(browser):
    """Opens a report; at the end, nothing may have gone wrong in it."""
    pages = []

    def open_report(path, width=1280, **options):
        page = browser.new_page(viewport={"width": width, "height": 900}, **options)
        seen = []
        page.on("console", lambda message: seen.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: seen.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (seen.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: seen.append(request.url) if not request.url.startswith("data:") else None)
        pages.append((page, seen, path))
        page.goto(Path(path).as_uri())
        until(page, "document.body.classList.contains('script')")
        return page

    yield open_report
    for page, seen, path in pages:
        assert seen == [Path(path).as_uri()]
        page.close()


def until(page, condition, seconds=20.0):
    """Wait for a condition; playwright's own way to wait is what the page's content security policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(20)


DRAWN = """
[...document.querySelectorAll("figure[data-figure]")].filter(figure => figure.offsetParent).map(figure => {
    const svg = figure.querySelector("svg"), box = svg.getBoundingClientRect();
    return [figure.id, box.width, box.height, svg.querySelectorAll("path, image").length];
})
"""


def complete(page):
    """Every figure has a drawing with something in it that takes room."""
    seen = set()
    for tab in page.locator("[role=tab]").all():
        tab.click()
        for figure, width, height, parts in page.evaluate(DRAWN):
            assert width > 200, figure
            assert height > 60, figure
            assert parts > 4, figure
            seen.add(figure)
    assert len(seen) == page.locator("figure[data-figure]").count()
    return len(seen)


def test_all_of_a_report_is_there_and_its_name_stays_text(opened, alert_report):
    page = opened(alert_report)
    assert page.locator("h1").inner_text() == "<script>alert(1)</script>"
    assert page.title() == "<script>alert(1)</script> · evonet"
    assert page.locator("section").count() == 8
    assert complete(page) >= 25


def test_the_network_goes_through_the_generations(opened, alert_report):
    page = opened(alert_report)
    network = page.locator(".generations")
    slider, told = network.locator("input[type=range]"), network.locator("output")
    assert told.inner_text().startswith("the champion")
    line = network.locator("#network-connections > path").first
    last = line.get_attribute("style")
    slider.fill("0")
    assert told.inner_text().startswith("generation 0")
    assert line.get_attribute("style") != last
    network.locator(".play").click()
    until(page, "+document.querySelector('.generations input').value > 0")
    until(page, "document.querySelector('.generations .play').textContent.includes('Play')")
    assert told.inner_text().startswith("the champion")


def test_the_replay_plays_and_pauses_and_shows_pictures(opened, alert_report):
    page = opened(alert_report)
    replay = page.locator(".replay:visible")
    play, slider = replay.locator(".play"), replay.locator("input[type=range]")
    drawn = "() => { const c = document.querySelector('.replay canvas'); return c.toDataURL(); }"
    until(page, "document.querySelector('.replay .sheet').complete")
    first = page.evaluate(drawn)
    paused = """() => {
        const button = document.querySelector(".replay .play"), plays = button.textContent.includes("Pause");
        if (plays) button.click();
        return plays;
    }"""
    under_way = "+document.querySelector('.replay input').value >= 3"
    play.click()
    until(page, under_way)
    while not page.evaluate(paused):  # where the machine is busy, all may be over before it can be paused
        play.click()
        until(page, under_way)
    stopped = slider.input_value()
    page.wait_for_timeout(200)
    assert slider.input_value() == stopped
    assert page.evaluate(drawn) != first
    assert page.locator("figure:visible .cursor").count() == 3


def test_values_are_told_under_the_pointer(opened, alert_report):
    page = opened(alert_report)
    tip = page.locator("#tip")
    page.locator("#figure-learning-evaluations svg").hover()
    assert "champion in validation" in tip.inner_text()
    page.locator("#figure-weights svg").hover()
    assert "hidden neuron" in tip.inner_text()
    page.locator("#network-input-neurons use").first.hover()
    assert tip.inner_text() == "cart position"
    page.locator("#network-hidden-neurons use").nth(2).hover()
    assert tip.inner_text().startswith("hidden 2")
    page.locator("h1").hover()
    assert tip.is_hidden()


def test_a_table_can_be_copied(opened, alert_report):
    page = opened(alert_report)
    table = page.locator("details.table").first
    table.locator("summary").click()
    table.locator(".copy").click()
    assert table.locator(".copy").inner_text() == "Copied"


def test_the_page_fits_a_phone_and_a_desk_by_day_and_by_night(opened, alert_report):
    page = opened(alert_report)
    for scheme, paper in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(18, 22, 27)")):
        page.emulate_media(color_scheme=scheme)
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == paper


@pytest.mark.parametrize("kind", ["continuous", "discrete"])
def test_reports_of_other_spaces_are_complete_too(kind, request, opened, tmp_path):
    (tmp_path / "report.html").write_text(request.getfixturevalue(f"{kind}_page")[0], encoding="utf-8")
    page = opened(tmp_path / "report.html")
    assert complete(page) >= 20
    assert page.locator(".replay").count() >= 1
