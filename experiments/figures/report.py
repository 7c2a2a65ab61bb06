"""The report's picture in the README: `python experiments/figures/report.py RUN`, after `evonet inspect RUN --html`.

It opens RUN/report.html in Chromium (Debian's package `chromium`, and playwright) and writes its head as `report.png`.
"""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

run, target = Path(sys.argv[1]), Path(__file__).with_suffix(".png")
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1200, "height": 1760})
    page.goto((run / "report.html").resolve().as_uri())
    page.wait_for_timeout(500)
    page.screenshot(path=target)
    browser.close()
Image.open(target).convert("RGB").quantize(256).save(target, optimize=True)
print(target, target.stat().st_size, "bytes")
