"""The archive's section in a real browser: slider, values under the pointer, clicks and keys that play elites."""

from pathlib import Path

import pytest

from evonet.experiment.config import Config
from evonet.experiment.runner import run
from evonet.inspection.loaded_run import load_run
from evonet.inspection.report import report
from evonet.inspection.report.sections.archive import archive
from evonet.inspection.report.sections.verdict import verdict
from tests.browser import MARKS, browser, new_page, until
from tests.inspection.test_archives import CONFIG

__all__ = ["browser"]
pytestmark = MARKS

POINTS = "{type: cvt, ranges: {lean: [-0.1, 0.1], return: [0, 100], length: [0, 100]}, cells: 40}"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Reports of an archive that is drawn as cells, and of one that is drawn as points."""
    folder = tmp_path_factory.mktemp("archives")
    start, end = CONFIG.index("{type: grid"), CONFIG.index("\nvalidation")
    measured = "  lean: {of: observation, index: 2, take: mean}\n"
    points = (CONFIG[:start] + POINTS + CONFIG[end:]).replace(measured, measured + "  length: {of: length}\n")
    for name, text in (("cells", CONFIG), ("points", points)):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        run(Config.load(str(folder / f"{name}.yaml")), folder / name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("evonet.inspection.report.SECTIONS", (verdict, archive))
            html, _ = report(load_run(folder / name))
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    return folder


@pytest.fixture
def opened(browser, pages):
    seen = []

    def open_page(name, width=1280):
        page = new_page(browser, width)
        page.emulate_media(reduced_motion="reduce")  # else the page scrolls slowly
        page.on("console", lambda message: seen.append(message.text))
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.goto(Path(pages / f"{name}.html").as_uri())
        until(page, "document.body.classList.contains('script')")
        return page

    yield open_page
    assert seen == []


def place_of(page, x, y):
    """The place in the window of the point (x, y) of the heatmap's axes."""
    return page.evaluate(
        """([x, y]) => {
          const figure = document.getElementById("figure-archive-training"), { hover } = figure;
          const svg = figure.querySelector("svg");
          svg.scrollIntoView();
          const box = svg.getBoundingClientRect(), view = svg.viewBox.baseVal, [left, top, right, bottom] = hover.box;
          const across = left + ((x - hover.x[0]) / (hover.x[1] - hover.x[0])) * (right - left);
          const up = bottom - ((y - hover.y[0]) / (hover.y[1] - hover.y[0])) * (bottom - top);
          return [box.left + across / view.width * box.width, box.top + up / view.height * box.height];
        }""",
        [x, y],
    )


IMAGE = "document.querySelector('[id=\"archive-training-axes_1\"] image').getAttribute('xlink:href')"
HIDDEN = """[...document.querySelectorAll('#archive-training-elites use')]
  .filter((point) => point.style.visibility === "hidden").length"""


@pytest.mark.parametrize("width", [1280, 360])
def test_cells(width, opened, pages):
    page = opened("cells", width)
    if width == 360:
        page.locator("#archive summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    section = page.locator(".generations")
    slider, label, said = section.locator("input"), section.locator("output"), section.locator(".picked")
    assert label.inner_text().startswith("generation 3: ")
    last = page.evaluate(IMAGE)
    slider.fill("0")
    assert label.inner_text().startswith("generation 0: ")
    assert page.evaluate(IMAGE).startswith("data:image/png")
    assert page.evaluate(IMAGE) != last
    slider.press("End")
    assert page.evaluate(IMAGE) == last

    loaded = load_run(pages / "cells")
    shown = {button.get_attribute("data-shows") for button in page.locator(".clips button[data-shows]").all()}
    assert len(shown) > 2
    edges = loaded.archive.edges
    middles = {
        row: [
            edges[name][cell] / 2 + edges[name][cell + 1] / 2
            for name, cell in zip(edges, divmod(number, 5), strict=True)
        ]
        for row, number in enumerate(loaded.archive.elites.cells.tolist())
    }
    played = commands = 0
    for row, middle in middles.items():
        x, y = place_of(page, *middle)
        page.mouse.move(x, y)
        assert page.locator("#tip").inner_text().startswith("lean: ")
        page.mouse.click(x, y)
        if "its episode is playing" in said.inner_text():
            played += 1
            assert page.locator(".clips .clip:not([hidden]) .play").inner_text().endswith(("Pause", "Play"))
        else:
            commands += 1
            assert "to play it" in said.inner_text()
            cell = said.locator("code").inner_text().rpartition("--cell=")[2]
            assert loaded.archive.at(*map(float, cell.split(","))).id == loaded.archive.elites.ids[row]
    assert played == len(shown)
    assert played + commands == len(loaded.archive)


def test_keys_play_episodes(opened):
    page = opened("cells")
    button = page.locator(".clips button[data-shows]").nth(1)
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    assert page.locator(".clips .clip:not([hidden])").get_attribute("id") == "clip-B"
    until(page, "document.querySelector('#clip-B input').value > 0")
    page.locator(".clips button[data-shows]").first.click()
    assert page.locator("#clip-B .play").text_content() == "▶ Play"


def test_points(opened, pages):
    page = opened("points")
    slider, said = page.locator(".generations input"), page.locator(".picked")
    assert page.evaluate(HIDDEN) == 0
    slider.fill("0")
    assert page.evaluate(HIDDEN) > 0
    slider.press("End")
    assert page.evaluate(HIDDEN) == 0
    archive = load_run(pages / "points").archive
    point = page.locator("#archive-training-elites use").last
    point.scroll_into_view_if_needed()
    point.hover(force=True)
    assert page.locator("#tip").inner_text().startswith("fitness ")
    for each in page.locator("#archive-training-elites use").all():
        each.dispatch_event("click")
        if "playing" not in said.inner_text():
            cell = said.locator("code").inner_text().rpartition("--cell=")[2]
            assert archive.at(*map(float, cell.split(","))) is not None
