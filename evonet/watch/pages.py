"""The pages of the server, each one file of HTML, style and script from this folder, with its content security policy.

No page holds anything of a run: the script asks for it, and puts it on the page as text.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

from evonet.inspection.plots.palette import MUTED, NEGATIVE, POSITIVE, SERIES
from evonet.inspection.report import page_style

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        content: the HTML file.
        policy: its content security policy: that of the report, and requests to this server.
    """

    content: bytes
    policy: str


@functools.cache
def page(name: str) -> Page:
    """The page `name`, "run" or "folder"."""
    script = "\n".join(_read(file) for file in ("common.js", f"{name}.js"))
    colours = f":root {{ --positive: {POSITIVE}; --negative: {NEGATIVE}; --target: {SERIES[2]}; --muted: {MUTED}; }}"
    style = "\n".join([page_style(), colours, _read("watch.css")])
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    html = _read(f"{name}.html").replace("{{ head }}", _read("head.html").rstrip())
    html = html.replace("{{ style }}", style).replace("{{ script }}", script)
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Page(html.encode(), policy)


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
