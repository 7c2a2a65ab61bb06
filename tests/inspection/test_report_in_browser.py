"""Reports opened in a real browser: nothing is asked of a network, no error, every figure is there, all of it moves."""

import re
from pathlib import Path

import pytest

from tests.browser import MARKS, browser, new_page, until

__all__ = ["browser"]
pytestmark = MARKS

HURRY = """window.hurry = 1;
const interval = window.setInterval;
window.setInterval = (act, pause) => interval(act, pause / window.hurry);"""


@pytest.fixture
def opened(browser, shipped_reports):
    """Opens the report of a shipped config; at the end, nothing may have gone wrong in it."""
    pages = []

    def open_report(name, width=1280):
        path, _ = shipped_reports(name)
        page = new_page(browser, width)
        page.add_init_script(HURRY)
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


DRAWINGS = """() => [...document.querySelectorAll("figure[data-figure]")]
  .filter((figure) => figure.offsetParent)
  .map((figure) => {
    const { width, height } = figure.querySelector("svg").getBoundingClientRect();
    return { name: figure.id, width, height, things: figure.querySelectorAll("svg path, svg image, svg use").length };
  })"""


def complete(page):
    """How many figures there are, behind all tabs; each has a drawing with something in it that takes room."""
    seen = set()
    for tab in page.locator("[role=tab], .choices button").all():
        tab.click()
        for drawing in page.evaluate(DRAWINGS):
            assert drawing["width"] > 200, drawing
            assert drawing["height"] > 60, drawing
            assert drawing["things"] > 4, drawing
            seen.add(drawing["name"])
    return len(seen)


CONNECTIONS = "[...document.querySelectorAll('#network-connections > path')].map((line) => line.style.cssText)"


def goes_through_the_generations(page):
    network = page.locator(".generations")
    slider, label = network.locator("input[type=range]"), network.locator("output")
    assert label.inner_text().startswith("the champion")
    last = page.evaluate(CONNECTIONS)
    slider.fill("0")
    assert label.inner_text().startswith("generation 0")
    assert page.evaluate(CONNECTIONS) != last
    page.evaluate("window.hurry = 20")
    network.locator(".play").click()
    page.evaluate("window.hurry = 1")
    until(page, "+document.querySelector('.generations input').value > 0")
    until(page, "document.querySelector('.generations .play').textContent.includes('Play')")
    assert label.inner_text().startswith("the champion")
    assert page.evaluate(CONNECTIONS) == last


PAUSED = """() => {
  const button = document.querySelector(".episode .replay .play"), plays = button.textContent.includes("Pause");
  if (plays) button.click();
  return plays;
}"""


def plays_and_pauses(page):
    replay = page.locator(".episode .replay:visible")
    play, slider = replay.locator(".play"), replay.locator("input[type=range]")
    drawn = "() => { const c = document.querySelector('.episode .replay canvas'); return c.toDataURL(); }"
    until(page, "document.querySelector('.sheet').complete")
    first = page.evaluate(drawn)
    play.click()
    until(page, "+document.querySelector('.episode .replay input').value >= 1")
    while not page.evaluate(PAUSED):  # where the machine is busy, all may be over before it can be paused
        play.click()
        until(page, "+document.querySelector('.episode .replay input').value >= 1")
    stopped = slider.input_value()
    page.wait_for_timeout(100)
    assert slider.input_value() == stopped
    assert page.evaluate(drawn) != first
    assert page.locator(".episode figure:visible .cursor").count() == 3


def the_median_episode_plays_beside_the_verdict(page):
    until(page, "+document.querySelector('.hero .replay input').value >= 1")
    assert page.locator(".hero .note", has_text="Median episode").count() == 1
    top = page.locator(".hero canvas").bounding_box()
    assert top["y"] + top["height"] < 900  # without scrolling
    assert top["width"] >= 500


FIGURES = {"cartpole": 31, "continuous": 27, "discrete": 27}


@pytest.mark.parametrize("name", ["cartpole", "continuous", "discrete"])
def test_all_of_a_report_is_there_and_all_of_it_moves(opened, name):
    page = opened(name)
    assert page.locator("section").count() == 8
    the_median_episode_plays_beside_the_verdict(page)
    goes_through_the_generations(page)
    plays_and_pauses(page)
    assert complete(page) == FIGURES[name]
    assert page.locator(".episode .replay").count() == 3


def test_a_name_that_is_a_script_stays_text(opened):
    page = opened("discrete")
    assert page.locator("h1").inner_text() == "<script>alert(1)</script>"
    assert page.title() == "<script>alert(1)</script> · evonet"


def test_values_are_shown_under_the_pointer_and_a_table_can_be_copied(opened):
    page = opened("cartpole")
    tip = page.locator("#tip")
    page.locator("#figure-learning-evaluations svg").hover()
    assert "champion in validation" in tip.inner_text()
    page.locator("#figure-weights svg").hover()
    assert "hidden neuron" in tip.inner_text()
    page.locator("#network-input-neurons use").first.hover()
    assert tip.inner_text() == "cart position"
    page.locator("#network-hidden-neurons use").nth(2).hover()
    assert tip.inner_text().startswith("hidden 2")
    page.locator("#descent-line use").last.hover()
    assert tip.inner_text().startswith("individual ")
    page.locator("h1").hover()
    assert tip.is_hidden()
    table = page.locator("details.table").first
    table.locator("summary").click()
    table.locator(".copy").click()
    assert table.locator(".copy").inner_text() == "Copied"


def test_the_page_fits_a_phone_and_a_desk_and_paper_by_day_and_by_night(opened):
    page = opened("discrete")
    for scheme, colour in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(18, 22, 27)")):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == colour
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 700, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".controls:visible").count() == 0


def test_a_switch_shows_the_learning_curves_over_evaluations_or_steps(opened):
    page = opened("cartpole")
    evaluations, steps = page.locator("#figure-learning-evaluations"), page.locator("#figure-learning-steps")
    assert (evaluations.is_visible(), steps.is_visible()) == (True, False)
    page.locator(".choices button", has_text="Over environment steps").click()
    assert (evaluations.is_visible(), steps.is_visible()) == (False, True)


def test_a_figure_is_saved_as_an_svg_that_stands_alone(opened, tmp_path):
    page = opened("cartpole")
    with page.expect_download() as download:
        page.locator("#figure-diversity .save button", has_text="SVG").click()
    assert download.value.suggested_filename == "diversity.svg"
    download.value.save_as(tmp_path / "diversity.svg")
    text = (tmp_path / "diversity.svg").read_text(encoding="utf-8")
    assert text.startswith("<svg ")
    assert 'xmlns="http://www.w3.org/2000/svg"' in text
    assert 'color="#1b1f24"' in text


def test_a_figure_is_printed_alone_on_a_page_of_its_size_as_drawing_and_letters(opened):
    page = opened("cartpole")
    page.evaluate("window.print = () => { window.asked = document.title; }")
    page.locator("#figure-diversity .save button", has_text="PDF").click()
    until(page, "window.asked === 'diversity'")
    pdf = page.pdf(prefer_css_page_size=True)
    width, height = map(float, re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf).groups())
    box = page.evaluate("document.querySelector('#figure-diversity svg').getAttribute('viewBox')").split()[2:]
    assert (width, height) == pytest.approx([float(side) for side in box], abs=1.5)  # a browser has whole pixels
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    assert b"/FontFile" in pdf
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator(".printed").count() == 0
    assert page.title() != "diversity"


SMALLEST = """() => Math.min(...[...document.querySelectorAll("figure svg text")].map((text) => {
  const svg = text.ownerSVGElement, scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  const size = /font(?:-size)?:\\s*([0-9.]+)px/.exec(text.getAttribute("style") || "");
  return scale ? scale * (size ? +size[1] : 12) : 99;
}))"""


@pytest.mark.parametrize("width", [360, 1280])
def test_no_lettering_is_smaller_than_ten_pixels(opened, width):
    page = opened("cartpole", width)
    page.evaluate("document.querySelectorAll('details.fold').forEach((each) => { each.open = true; })")
    assert page.evaluate(SMALLEST) >= 9.99


def test_on_a_phone_all_below_the_replay_is_folded_until_it_is_asked_for(opened):
    page = opened("cartpole", 360)
    assert page.evaluate("document.documentElement.scrollHeight") < 2000
    assert page.locator("#learning .figures").is_hidden()
    page.locator("#learning summary h2").click()
    assert page.locator("#figure-learning-evaluations svg").is_visible()
    wide = opened("cartpole")
    assert wide.locator("#learning .figures").is_visible()
