"""Kernels elsewhere, from `JIDO_URL` to the cell: real kernels, a real server, the command line."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from jido_jupyter.connection import connect, examine, key_ids, rotate_key
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.errors import InvalidSetting, KeptElsewhere, StoreUnavailable
from tests.support.kernels import Ran, environment, running
from tests.support.openai_loopback import Loopback
from tests.support.servers import Server, serving
from tests.support.wires import answering

PIECE_S = 0.02  # between two pieces of an answer
LOAD = "%load_ext jido_jupyter"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server"), JIDO_MAX_SESSIONS="7", JIDO_RESUME_LIMIT="4") as server:
        yield server


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))


def elsewhere(server: Server, **more: str) -> dict[str, str]:
    return {"JIDO_HOME": "", "JIDO_URL": server.url, "JIDO_TOKEN": server.token, **more}


def on_its_machine(server: Server) -> dict[str, str]:
    """Return the environment of a kernel beside the server."""
    return {"JIDO_HOME": str(server.home), "JUPYTER_CONFIG_DIR": str(server.folder / "config")}


def jido(folder: Path, server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jido_jupyter.cli.main", *words]
    env = environment(folder, **elsewhere(server))
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, cwd=folder)


def test_a_conversation_goes_on_from_kernel_to_kernel(server: Server, tmp_path: Path) -> None:
    """Asked in a kernel elsewhere that is killed, taken over by another, by one beside the server, and back again."""
    far, near = tmp_path / "far", tmp_path / "near"
    far.mkdir()
    near.mkdir()
    with running(far, **elsewhere(server)) as first, running(far, **elsewhere(server)) as second:
        first.run(LOAD)
        second.run(LOAD)
        asked = first.run("%%jido\nWhat is a p value?")
        assert (asked.status, "saved" in asked.text) == ("ok", True), asked
        status = first.run("%jido")
        assert server.url in status.text
        doctor = first.run("%jido doctor")
        assert "kept by the server" in doctor.text
        assert "bad" not in doctor.text.split()
        assert "What is a p value?" in second.run("%jido list").text

        refused = second.run("%jido resume 1")
        assert f"process {first.pid}" in refused.error
        first.kill()
        resumed = second.run("%jido resume 1 --take-over")
        assert "Full context: 1 question" in resumed.text, resumed
        assert second.run("%%jido\nAnd a t test?").status == "ok"

        with running(near, **on_its_machine(server)) as local:
            local.run(LOAD)
            assert f"process {second.pid}" in local.run("%jido resume 1").error
            assert "Full context: 2 questions" in local.run("%jido resume 1 --take-over").text
            assert local.run("%%jido\nAnd an F test?").status == "ok"
            lost = second.run("%%jido\nAm I still here?")
            assert "taken over elsewhere" in lost.error, lost
            back = second.run("%jido resume 1 --take-over")
            assert "Full context: 3 questions" in back.text, back
            assert "taken over elsewhere" in local.run("%%jido\nAm I?").error

        counted = second.run(
            "import jido_jupyter as jido; print([one.message_count for one in jido.sessions('p value')])"
        )
        assert counted.text.strip() == "[6]", counted
        assert "F test" in second.run("%jido show").text
        seen = "".join(ran.text + ran.html + ran.error for ran in (asked, status, doctor, refused, resumed, lost, back))
        assert server.token not in seen
        assert second.run("%jido close").status == "ok"

    assert not (far / "data" / "jido").exists()
    assert not (far / "jido").exists()
    assert not (far / "config" / "jido" / "keys").exists()
    [session] = (server.home / "sessions").iterdir()
    assert session.read_bytes().count(b'"mac":"') > 8
    assert server.token not in server.log


def test_an_answer_that_streamed_is_kept(server: Server, tmp_path: Path) -> None:
    """A kernel elsewhere that is killed in the middle of an answer loses at most its last second."""
    with Loopback() as model, running(tmp_path, **elsewhere(server), **model_of(model)) as kernel:
        kernel.run(LOAD)
        seen: list[float] = []

        def kill_later(ran: Ran) -> None:
            if ran.updates:
                seen.append(time.monotonic())
            if seen and seen[-1] - seen[0] > 2 and kernel.manager.is_alive():
                seen.append(len(model.requests[-1].sent))
                kernel.kill()

        assert kernel.run("%%jido\ncount", during=kill_later).status == "dead"
    connection = connect({"JIDO_URL": server.url, "JIDO_TOKEN": server.token})
    [summary] = [found for found in connection.sessions.list() if found.title == "count"]
    answer = connection.sessions.show(summary.id).state.messages[-1]

    assert (answer.role, answer.status) == ("assistant", "interrupted")
    assert len(answer.text.split()) >= seen[-1] - 1.5 / PIECE_S
    assert answer.text.split() == [str(number) for number in range(len(answer.text.split()))]


def model_of(model: Loopback) -> dict[str, str]:
    """Return the environment of a kernel whose model counts, slowly."""
    return {"OPENAI_BASE_URL": model.url, "JIDO_MODEL": f"openai:count-300+delay-{int(PIECE_S * 1000)}"}


def test_the_panel_works_there(server: Server, tmp_path: Path) -> None:
    """It lists, asks and shows what the server keeps."""
    talk = """
from jido_jupyter.notebook.panel import PanelWidget
from jido_jupyter.notebook.kernel import kernel
got = []
class Page(PanelWidget):
    def send(self, content, buffers=None):
        got.append(content)
page = Page(kernel())
def ask(method, **params):
    request = {"kind": "request", "id": str(len(got)), "method": method, "params": params}
    kernel().engine.submit(page._reply(request)).result(30)
    return next(reply for reply in got if reply.get("id") == request["id"])["result"]
"""
    with running(tmp_path, **elsewhere(server)) as kernel:
        kernel.run(LOAD)
        assert kernel.run(talk).status == "ok"
        made = kernel.run("print(ask('new')['is_here'])")
        assert made.text.strip() == "True", made
        kernel.run("ask('edit', id=kernel().session.id, title='From the panel')")
        found = kernel.run("print(ask('find', query=''))")
        assert "From the panel" in found.text, found
        shown = connect({"JIDO_URL": server.url, "JIDO_TOKEN": server.token}).sessions.list("is:open")
        # A kernel that another test has killed may hold its session for a while.
        assert ("From the panel", kernel.pid) in [(one.title, one.owner and one.owner.pid) for one in shown]
        assert kernel.run("ask('close')").status == "ok"


def test_the_command_line_works_there(server: Server, tmp_path: Path) -> None:
    """Bring in, list, show, verify, rename by nobody, trash, restore, clean up, export: as on a folder."""
    said = [Message("m1", "user", (text_part("How many rows?"),), "2026-01-01T00:00:00.000Z")]
    connect({"JIDO_URL": server.url, "JIDO_TOKEN": server.token}).sessions.create(None, said)

    listed = json.loads(jido(tmp_path, server, "list", "--json", "rows").stdout)["sessions"]
    [session_id] = [found["id"] for found in listed]
    assert "How many rows?" in jido(tmp_path, server, "show", session_id).stdout
    assert "are sound" in jido(tmp_path, server, "verify").stdout
    assert jido(tmp_path, server, "export", session_id, "-o", "out.json").returncode == 0
    assert "imported" in jido(tmp_path, server, "import", "out.json").stdout
    assert "here already" in jido(tmp_path, server, "import", "out.json").stdout
    assert jido(tmp_path, server, "trash", session_id).returncode == 0
    assert session_id in json.loads(jido(tmp_path, server, "trash", "--json").stdout)["sessions"][0]["id"]
    assert jido(tmp_path, server, "restore", session_id).returncode == 0
    cleaned = jido(tmp_path, server, "cleanup", "--yes", "--days", "1", "--keep", "0")
    assert cleaned.returncode == 0, cleaned
    doctor = jido(tmp_path, server, "doctor")
    assert (doctor.returncode, "within this machine" in doctor.stdout) == (0, True), doctor
    for words in (["keys"], ["keys", "--rotate"], ["bench"]):
        refused = jido(tmp_path, server, *words)
        assert refused.returncode == 4, refused
        assert f"kept by the server {server.url}" in refused.stderr
    assert not (tmp_path / "jido").exists()


def test_the_limits_are_the_stores(server: Server, tmp_path: Path) -> None:
    """Whatever this process has set: sessions and resumes are counted where they are kept."""
    connection = connect({"JIDO_URL": server.url, "JIDO_TOKEN": server.token, "JIDO_MAX_SESSIONS": "1000"})

    assert connection.settings.max_sessions == 7
    assert connection.limits.window("resume", "one").limit == 4
    assert connection.home == server.url
    assert oct((Path(connection.config)).stat().st_mode & 0o777) == "0o700"


def test_what_only_its_machine_can_do(server: Server) -> None:
    """Keys are the server's: the sentence says where to go."""
    environ = {"JIDO_URL": server.url, "JIDO_TOKEN": server.token}

    for call in (key_ids, rotate_key):
        with pytest.raises(KeptElsewhere, match=r"So are their keys: run 'jido keys' on its machine"):
            call(environ)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"JIDO_URL": "{url}", "JIDO_TOKEN": "wrong"}, "does not know the token"),
        ({"JIDO_URL": "{url}"}, "does not know the token"),
        ({"JIDO_URL": "{url}lab/", "JIDO_TOKEN": "{token}"}, "no jido_jupyter at this address"),
        ({"JIDO_URL": "http://127.0.0.1:9/", "JIDO_TOKEN": "{token}"}, "cannot be reached"),
        ({"JIDO_URL": "http://name.invalid/", "JIDO_TOKEN": "{token}"}, "cannot be reached"),
    ],
)
def test_a_door_that_stays_shut_says_why(server: Server, environ: dict[str, str], words: str) -> None:
    """At once, when something is asked for, and in the doctor's words."""
    filled = {name: value.format(url=server.url, token=server.token) for name, value in environ.items()}

    with pytest.raises(StoreUnavailable, match=words):
        connect(filled)

    checks = list(examine(filled))
    assert [check.status for check in checks][-1] == "bad"
    assert words in checks[-1].text


def test_the_doctor_warns_of_an_open_way() -> None:
    """The token and all that is said could be read by others."""
    ways = {url: next(check for check in examine({"JIDO_URL": url}) if check.name == "way") for url in _URLS}

    assert [way.status for way in ways.values()] == ["warn", "ok", "ok", "ok"]
    assert "https://" in ways["http://192.0.2.1:9/"].next
    assert next(iter(examine({"JIDO_URL": "nowhere"}))).status == "bad"


_URLS = ("http://192.0.2.1:9/", "https://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/")


def test_a_server_without_the_extension(tmp_path: Path) -> None:
    """jupyter_server answers, and knows nothing of sessions."""
    config = {"ServerApp": {"jpserver_extensions": {"jido_jupyter": False}}}
    with serving(tmp_path, config) as bare, pytest.raises(StoreUnavailable, match=r"no jido_jupyter.*installed there"):
        connect({"JIDO_URL": bare.url, "JIDO_TOKEN": bare.token})


def test_a_server_passes_on_what_another_keeps(server: Server, tmp_path: Path) -> None:
    """Its sidebar shows what its kernels show; asked for records itself it says where they are, and never asks itself."""
    with serving(tmp_path, **elsewhere(server)) as between:
        field = {"Authorization": f"token {between.token}"}
        health = httpx.get(f"{between.api}/health", headers=field)
        kept = connect({"JIDO_URL": server.url, "JIDO_TOKEN": server.token}).store.count()
        assert (health.status_code, health.json()["sessions"]) == (200, kept)
        with pytest.raises(KeptElsewhere, match=server.url):
            connect({"JIDO_URL": between.url, "JIDO_TOKEN": between.token})
        assert not (tmp_path / "home").exists()


def test_a_server_that_is_sent_to_itself_says_so(tmp_path: Path) -> None:
    """Its own address as JIDO_URL is a mistake that ends in a sentence, not in a server that waits for itself."""
    port = _free_port()
    itself = {"JIDO_HOME": "", "JIDO_URL": f"http://localhost:{port}/", "JIDO_TOKEN": "t", "JUPYTER_TOKEN": "t"}
    with serving(tmp_path, port=port, **itself) as server:
        answers = [
            httpx.get(f"{server.api}/health", headers={"Authorization": "token t"}, timeout=20) for _ in range(4)
        ]

    assert {answer.json()["code"] for answer in answers} == {"kept_elsewhere"}
    assert "start it without JIDO_URL" in answers[0].json()["detail"]


def test_an_odd_token_is_not_sent(tmp_path: Path) -> None:
    """What is no header field is refused before."""
    with answering(200) as (url, asked), pytest.raises(InvalidSetting, match="JIDO_TOKEN"):
        connect({"JIDO_URL": url, "JIDO_TOKEN": "a\nb"})

    assert asked == []


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def test_nobody_else_pays_for_it(tmp_path: Path) -> None:
    """Without `JIDO_URL` no HTTP library is imported for the store."""
    code = (
        "import sys; from jido_jupyter.connection import connect; connect().sessions.list(); "
        "print([name for name in sys.modules if name in ('httpx', 'jido_jupyter.client')])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment(tmp_path), capture_output=True, text=True, timeout=60
    )

    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")
