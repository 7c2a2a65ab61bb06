"""The server of the pages: on the loopback interface only, for those who know its address; it changes no file.

The address has a random token, so that other users of the machine and pages of other sites cannot guess it. A request
that names another host is refused: a foreign site whose name leads to this machine (DNS rebinding) gets nothing.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
import threading
from collections.abc import Callable, Collection
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from evonet.errors import ConfigError, EvonetError
from evonet.experiment.run_files.run_finder import is_run
from evonet.watch.folder import runs_in
from evonet.watch.pages import page
from evonet.watch.report_maker import ReportMaker
from evonet.watch.watched_run import WatchedRun

LOOPBACK = "127.0.0.1"
_HOSTS = {"127.0.0.1", "localhost", "[::1]"}
_TIMEOUT = 30.0  # seconds that a connection may be silent
_MAX_PICTURES = 150  # in one answer
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_NOTHING = "default-src 'none'; frame-ancestors 'none'"
_HTML, _JSON, _TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"


class _Watched:
    """A run that is watched, and its report."""

    def __init__(self, path: Path, allow_imports: Collection[str]) -> None:
        self.run = WatchedRun(path, allow_imports)
        self.report = ReportMaker(path, allow_imports)


class Server(ThreadingHTTPServer):
    """Serves the page of one run, or of each run in a folder with a list of them.

    Args:
        path: a run directory, or a folder with run directories in it.
        allow_imports: modules that may be imported when champions act in their environments.
        port: the port; 0 takes a free one.

    Attributes:
        url: the address of the first page.

    Raises:
        ConfigError: `path` is neither a run directory nor a folder, or the port is taken.
    """

    daemon_threads = True

    def __init__(self, path: Path, allow_imports: Collection[str] = (), port: int = 0) -> None:
        if not path.is_dir():
            raise ConfigError(f"{path} is neither a run directory nor a folder of run directories")
        self.path = path
        self.token = secrets.token_urlsafe(18)
        self._allow_imports = allow_imports
        self._watched: dict[Path, _Watched] = {}
        self._opening = threading.Lock()
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as error:
            raise ConfigError(f"port {port} of {LOOPBACK} cannot be used: {error.strerror or error}") from error
        self.url = f"http://{LOOPBACK}:{self.server_address[1]}/{self.token}/"

    def runs(self) -> dict[str, Path]:
        """The runs that have a page, by the name in their address."""
        return {self.path.resolve().name or "run": self.path} if is_run(self.path) else runs_in(self.path)

    def watched(self, path: Path) -> _Watched:
        """The run at `path`, opened when it is first asked for."""
        with self._opening:
            if path not in self._watched:
                self._watched[path] = _Watched(path, self._allow_imports)
            return self._watched[path]

    def server_close(self) -> None:
        """Close the socket and end all worker processes."""
        super().server_close()
        for watched in self._watched.values():
            watched.run.close()
            watched.report.close()


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT
    server_version, sys_version = "evonet", ""

    def do_GET(self) -> None:
        """Answer a request."""
        try:
            self._answer()
        except (ConnectionError, TimeoutError):  # the page was closed
            self.close_connection = True
        except EvonetError as error:
            self._send(HTTPStatus.NOT_FOUND, _TEXT, str(error).encode(errors="replace"))

    def log_message(self, *_: Any) -> None:
        """Log nothing: the terminal belongs to the run."""

    def _answer(self) -> None:
        host = self.headers.get("Host", "")
        if re.sub(r":\d+$", "", host) not in _HOSTS:
            self._send(HTTPStatus.FORBIDDEN, _TEXT, b"this page is for this machine only\n")
            return
        address = urlsplit(self.path)
        token, *parts = address.path.removeprefix("/").split("/")
        if not hmac.compare_digest(token.encode(), self.server.token.encode()) or not parts:
            self._send(HTTPStatus.NOT_FOUND, _TEXT, b"the address is not complete: take it from the terminal\n")
            return
        runs = self.server.runs()
        match [unquote(part) for part in parts]:
            case [""] if is_run(self.server.path):
                self._redirect("/".join(["run", quote(next(iter(runs)), safe=""), ""]))
            case [""]:
                self._send_page("folder")
            case ["runs"]:
                self._send_json(
                    {"folder": str(self.server.path), "runs": [self._brief(*each) for each in runs.items()]}
                )
            case ["run", name, what] if name in runs:
                self._answer_for(self.server.watched(runs[name]), what, parse_qs(address.query))
            case _:
                self._send(HTTPStatus.NOT_FOUND, _TEXT, b"there is no such page\n")

    def _answer_for(self, watched: _Watched, what: str, query: dict[str, list[str]]) -> None:
        """Answer for the page of one run, or for something that the page asks for."""
        answers: dict[str, Callable[[], None]] = {
            "": lambda: self._send_page("run"),
            "state": lambda: self._send_state(watched),
            "pictures": lambda: self._send_pictures(watched.run, _number(query, "clip"), _number(query, "from")),
            "report": lambda: self._send_report(watched.report),
            "play": lambda: self._send_choice(watched.run, _number(query, "row") if "row" in query else None),
        }
        if what == "" and watched.report.html is not None:
            self._redirect("report")
        elif what in answers:
            answers[what]()
        else:
            self._send(HTTPStatus.NOT_FOUND, _TEXT, b"there is no such page\n")

    def _brief(self, name: str, path: Path) -> dict[str, Any]:
        try:
            return {"address": f"run/{quote(name, safe='')}/", "directory": name} | self.server.watched(
                path
            ).run.brief()
        except EvonetError as error:
            return {"address": None, "directory": name, "problem": str(error)}

    def _send_state(self, watched: _Watched) -> None:
        state = watched.run.state()
        if state["state"] == "finished":
            watched.report.begin()
        self._send_json({**state, "report": watched.report.status})

    def _send_pictures(self, run: WatchedRun, number: int, first: int) -> None:
        clip = run.clip
        if clip is None or clip.number != number:
            self._send_json({"clip": number, "pictures": None})
            return
        pictures = clip.pictures[first : first + _MAX_PICTURES]
        self._send_json(
            {
                "clip": number,
                "pictures": [base64.b64encode(picture).decode("ascii") for picture in pictures],
                "totals": clip.totals[first : first + len(pictures)],
            }
        )

    def _send_choice(self, run: WatchedRun, row: int | None) -> None:
        run.play(row)
        self._send_json({"chosen": row})

    def _send_report(self, report: ReportMaker) -> None:
        if report.html is None:
            self._send(HTTPStatus.NOT_FOUND, _TEXT, f"the report: {report.status}\n".encode())
        else:  # the report has its own policy in it
            self._send(HTTPStatus.OK, _HTML, report.html, "frame-ancestors 'none'")

    def _send_page(self, name: str) -> None:
        found = page(name)
        self._send(HTTPStatus.OK, _HTML, found.content, found.policy)

    def _send_json(self, document: Any) -> None:
        self._send(HTTPStatus.OK, _JSON, json.dumps(document, allow_nan=False).encode())

    def _redirect(self, address: str) -> None:
        self._send(HTTPStatus.FOUND, _TEXT, b"", Location=address)

    def _send(self, status: HTTPStatus, kind: str, content: bytes, policy: str = _NOTHING, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Security-Policy": policy, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _number(query: dict[str, list[str]], name: str) -> int:
    """A whole number in a query; 0 if it is missing or something else."""
    text = query.get(name, ["0"])[0]
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
