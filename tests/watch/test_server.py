"""The server: on the loopback interface, read only, for whoever knows its address, and a stranger's text stays text."""

import json
import re
import shutil
import socket
import threading
import urllib.error
import urllib.request
from http.client import HTTPConnection

import pytest

from evonet.errors import ConfigError
from evonet.watch import server as server_module
from evonet.watch.rendering import Clip
from evonet.watch.server import Server

HOSTILE = "<script>alert(1)</script>"
POLICY = (
    r"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-[\w+/=]+'; "
    r"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@pytest.fixture
def serve(monkeypatch):
    """Starts servers in this process, which render nothing and make no reports."""
    monkeypatch.setattr("evonet.watch.rendering.Renderer.show", lambda *_, **__: None)
    monkeypatch.setattr(server_module.ReportMaker, "begin", lambda _: None)
    servers = []

    def serve(path):
        server = Server(path)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))


def get(url, **headers):
    """Status, headers and content."""
    try:
        with OPENER.open(urllib.request.Request(url, headers=headers), timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@pytest.fixture
def folder(unfinished_run, small_run, tmp_path):
    """A folder with a run of a hostile name, and another in a study."""
    first = shutil.copytree(unfinished_run, tmp_path / HOSTILE.replace("/", "∕"))
    config = first / "config.yaml"
    config.write_text(config.read_text().replace("three islands", HOSTILE))
    shutil.copytree(small_run, tmp_path / "study" / "seed-0")
    return tmp_path


def test_the_page_of_a_run_has_the_policy_of_the_report_and_the_run_behind_it(serve, unfinished_run):
    server = serve(unfinished_run)
    status, headers, _ = get(server.url)
    assert status == 302
    status, headers, content = get(server.url + headers["Location"])
    assert status == 200
    assert re.fullmatch(POLICY, headers["Content-Security-Policy"])
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert (headers["X-Content-Type-Options"], headers["Access-Control-Allow-Origin"]) == ("nosniff", None)
    assert not re.search(rb"https?://(?!www\.w3\.org/2000/svg)", content)
    status, headers, content = get(f"{server.url}run/stopped/state")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    state = json.loads(content)
    assert (state["name"], state["state"], state["report"]) == ("three islands", "interrupted", "none")


def test_the_server_listens_on_the_loopback_interface_only(serve, unfinished_run):
    server = serve(unfinished_run)
    assert server.server_address[0] == "127.0.0.1"
    assert server.socket.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("address", ["", "wrong/", "wrong/run/stopped/state", "{token}", "{token}x/", "favicon.ico"])
def test_without_the_token_there_is_nothing(address, serve, unfinished_run):
    server = serve(unfinished_run)
    root = server.url.removesuffix(f"{server.token}/")
    status, _, content = get(root + address.format(token=server.token))
    assert status == 404
    assert b"three islands" not in content
    assert server.token.encode() not in content
    assert len(server.token) >= 24


@pytest.mark.parametrize("host", ["example.org", "example.org:80", "127.0.0.1.example.org", "evil", "", "[::2]"])
def test_a_request_that_names_another_host_is_refused(host, serve, unfinished_run):
    server = serve(unfinished_run)
    status, _, content = get(f"{server.url}run/stopped/state", Host=host)
    assert (status, content) == (403, b"this page is for this machine only\n")


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1", "[::1]:1"])
def test_a_tunnel_may_use_another_port(host, serve, unfinished_run):
    assert get(f"{serve(unfinished_run).url}run/stopped/state", Host=host)[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_can_be_written(method, serve, unfinished_run):
    server = serve(unfinished_run)
    connection = HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
    connection.request(method, f"/{server.token}/run/stopped/state")
    answer = connection.getresponse()
    assert answer.status == 501
    assert answer.getheader("Access-Control-Allow-Origin") is None
    connection.close()


@pytest.mark.parametrize(
    "what", ["run/other/", "run/..%2Fstopped/", "run/stopped/config.yaml", "run/stopped/../../x", "config.yaml", "run"]
)
def test_no_other_file_can_be_reached(what, serve, unfinished_run):
    assert get(serve(unfinished_run).url + what)[0] == 404


def test_a_folder_has_a_list_with_a_page_for_each_run(serve, folder):
    server = serve(folder)
    status, headers, content = get(server.url)
    assert status == 200
    assert re.fullmatch(POLICY, headers["Content-Security-Policy"])
    assert b"alert(1)" not in content
    document = json.loads(get(f"{server.url}runs")[2])
    assert document["folder"] == str(folder)
    briefs = {run["name"]: run for run in document["runs"]}
    assert set(briefs) == {HOSTILE, "small"}
    assert (briefs["small"]["state"], briefs["small"]["generations"]) == ("finished", 8)
    assert briefs[HOSTILE]["state"] == "interrupted"
    for run in briefs.values():
        status, _, page = get(server.url + run["address"])
        assert status == 200
        assert b"alert(1)" not in page  # the script asks for the name, and sets it as text
        assert json.loads(get(f"{server.url}{run['address']}state")[2])["name"] == run["name"]


def test_a_run_that_cannot_be_read_has_a_line_with_the_reason(serve, folder):
    (folder / "study" / "seed-0" / "config.yaml").write_text("{")
    runs = json.loads(get(f"{serve(folder).url}runs")[2])["runs"]
    (broken,) = (run for run in runs if run["address"] is None)
    assert "config.yaml:" in broken["problem"]


def test_no_script_makes_html_of_text():
    for name in ("common.js", "run.js", "folder.js"):
        script = (server_module.Path(server_module.__file__).parent / name).read_text(encoding="utf-8")
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|DOMParser|\beval\b|Function\(", script
        )


def test_pictures_are_those_of_the_newest_clip_from_a_number_on(serve, unfinished_run, monkeypatch):
    clip = Clip(3, 7, "champion of generation 1", pictures=[b"a", b"b", b"c"], totals=[0.0, 1.0, 2.0])
    monkeypatch.setattr(server_module.WatchedRun, "clip", property(lambda _: clip))
    url = f"{serve(unfinished_run).url}run/stopped/pictures"
    assert json.loads(get(f"{url}?clip=3&from=1")[2]) == {"clip": 3, "pictures": ["Yg==", "Yw=="], "totals": [1.0, 2.0]}
    assert json.loads(get(f"{url}?clip=2&from=1")[2])["pictures"] is None
    assert json.loads(get(f"{url}?clip=3&from=-1")[2])["pictures"] == ["YQ==", "Yg==", "Yw=="]


def test_a_click_on_an_elite_chooses_it_and_one_without_a_row_the_champion(serve, unfinished_run, monkeypatch):
    chosen = []
    monkeypatch.setattr(server_module.WatchedRun, "play", lambda _, row: chosen.append(row))
    url = f"{serve(unfinished_run).url}run/stopped/play"
    assert json.loads(get(f"{url}?row=12")[2]) == {"chosen": 12}
    assert json.loads(get(url)[2]) == {"chosen": None}
    assert chosen == [12, None]


def test_the_report_of_a_run_that_is_over_takes_the_place_of_its_page(serve, small_run, monkeypatch):
    def begin(report):
        report.html, report.status = b"the report", "ready"

    monkeypatch.setattr(server_module.ReportMaker, "begin", begin)
    url = f"{serve(small_run).url}run/run/"
    assert get(f"{url}report")[0] == 404
    assert get(url)[0] == 200
    assert json.loads(get(f"{url}state")[2])["report"] == "ready"
    status, headers, _ = get(url)
    assert (status, headers["Location"]) == (302, "report")
    status, headers, content = get(f"{url}report")
    assert (status, headers["Content-Security-Policy"], content) == (200, "frame-ancestors 'none'", b"the report")


def test_a_report_without_its_packages_says_what_to_install(small_run, monkeypatch):
    monkeypatch.setattr("evonet.watch.report_maker.find_spec", lambda _: None)
    report = server_module.ReportMaker(small_run, ())
    report.begin()
    assert report.status.startswith("A report needs more packages: pip install ")
    assert report.html is None


def test_a_path_that_is_no_folder_and_a_port_that_is_taken_are_refused(unfinished_run, tmp_path):
    with pytest.raises(ConfigError, match="is neither a run directory nor a folder of run directories"):
        Server(tmp_path / "nowhere")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"^port {port} of 127\.0\.0\.1 cannot be used: Address already in use"):
            Server(unfinished_run, port=port)
