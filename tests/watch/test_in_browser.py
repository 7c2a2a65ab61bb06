"""A run watched in a real browser while it goes on: curves move, the champion plays, a report comes at the end."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from evonet.inspection.loaded_run import load_run
from evonet.watch.server import Server
from tests.browser import MARKS, browser, new_page, until
from tests.stopped_runs import EAGER, run_stopped
from tests.watch.test_watched_run import ARCHIVED

__all__ = ["browser"]
pytestmark = MARKS
ROOT = Path(__file__).parents[2]
NAME = "<script>alert(1)</script>"
CONFIG = f"""
name: {NAME}
environment: {{id: CartPole-v1, max_steps: 100}}
network: {{hidden: 4}}
algorithm: {{population_size: 16, elites: 1}}
evaluation: {{episodes: 2, workers: 1, engine: gymnasium}}
validation: {{episodes: 5}}
test: {{episodes: 5}}
checkpoints: {{seconds: 0}}
stop: {{generations: 100000, target: null}}
"""


@pytest.fixture
def running(tmp_path):
    """A run that goes on until it is told to stop, and the address of its page."""
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "evonet", "run", "config.yaml", "--output", "run", "--watch"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    line = next(line for line in process.stderr if "http://" in line)
    yield process, re.search(r"http://[\w.:/-]+", line)[0], tmp_path / "run"
    process.kill()
    process.communicate()


@pytest.fixture
def page(browser):
    """A page whose console, errors, dialogs and requests are written down."""
    page = new_page(browser)
    page.add_init_script(COLLECT)
    page.seen, page.hosts = [], set()
    page.on("console", lambda message: page.seen.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: page.seen.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (page.seen.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda r: page.hosts.add(urlsplit(r.url).netloc) if not r.url.startswith("data:") else None)
    yield page
    page.close()


COLLECT = """window.drawn = new Set();
setInterval(() => {
  const canvas = document.querySelector("#player canvas"), caption = document.querySelector("#caption");
  if (caption && caption.textContent.includes("step ")) window.drawn.add(canvas.toDataURL());
}, 20);"""


POINTS = "document.querySelector('#learning .curve.best').points.length"
CAPTION = "document.querySelector('#caption').textContent"


def test_a_run_is_watched_while_it_goes_on(running, page):
    process, address, run = running
    page.goto(address)
    until(page, "document.querySelector('#learning .curve.best')?.points?.length > 1")
    assert page.title() == f"{NAME} · evonet"
    assert page.inner_text("h1") == NAME
    assert page.inner_text("#state") == "running"

    points = page.evaluate(POINTS)
    until(page, f"{POINTS} > {points}")  # the curves move

    until(page, "window.drawn.size > 3")  # the champion plays
    assert re.search(
        r"^Individual [\d,]+, champion of generation [\d,]+ · step \d+ · return \d+", page.evaluate(CAPTION)
    )
    assert page.locator("#network .neuron").count() == 4 + 4 + 2
    assert page.locator("#population .bar").count() > 0
    assert page.locator("#islands").is_hidden()

    for scheme, colour in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(18, 22, 27)")):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == colour
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        until(page, f"document.querySelector('#learning svg').viewBox.baseVal.width <= {width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#learning svg").hover()
    assert "generation " in page.inner_text("#tip")

    assert page.seen == []
    assert page.hosts == {urlsplit(address).netloc}
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    until(page, "document.querySelector('#notice').textContent.startsWith('No answer: ')")
    assert load_run(run).champion is not None


def test_a_run_that_is_over_is_its_report_and_a_folder_is_a_list(small_run, page, tmp_path, monkeypatch):
    def begin(report):
        report.html, report.status = b"<link rel=icon href=data:,><title>the report</title>", "ready"

    monkeypatch.setattr("evonet.watch.server.ReportMaker.begin", begin)
    monkeypatch.setattr("evonet.watch.rendering.Renderer.show", lambda *_, **__: None)
    shutil.copytree(small_run, tmp_path / "first")
    with Server(tmp_path) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        page.goto(server.url)
        until(page, "document.querySelectorAll('#runs tr').length === 1")
        cells = page.locator("#runs tr > *").all_inner_texts()
        assert (cells[:2], cells[4:]) == (["first", "finished"], ["8", "CartPole-v1", "3"])
        page.click("#runs a")
        page.wait_for_url(f"{server.url}run/first/report")
        assert page.title() == "the report"
        assert page.seen == []
        assert page.hosts == {urlsplit(server.url).netloc}
        server.shutdown()


def test_a_click_on_an_elite_of_the_archive_plays_its_episode_and_a_second_one_the_champions(page, tmp_path):
    run = run_stopped(tmp_path, ARCHIVED, *EAGER)
    with Server(run) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        page.goto(server.url)
        until(page, f"{CAPTION}.includes('champion of generation ')")
        archive = load_run(run).archive
        assert page.locator("#archive rect.elite").count() == len(archive)
        row = len(archive) - 1
        page.hover(f"#archive [data-row='{row}']")
        assert re.search(r"^lean [-−.\d]+\neffort [.\d]+\nfitness \d+$", page.inner_text("#tip"))
        page.click(f"#archive [data-row='{row}']")
        until(page, f"{CAPTION}.startsWith('Individual {archive.elites[row].id}, elite at lean ')")
        assert page.inner_text("#playing") == "The chosen elite plays"
        until(page, "document.querySelectorAll('#archive .chosen').length === 1")
        page.click("#archive .chosen")
        until(page, f"{CAPTION}.includes('champion of generation ')")
        assert page.inner_text("#playing") == "The newest champion plays"
        assert page.seen == []
        server.shutdown()
