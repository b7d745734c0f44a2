"""The OpenAPI document: valid, the same as the routes, and what a fuzzer finds behind it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

from jido_jupyter.server import openapi, reference
from jido_jupyter.server.handlers import UnknownHandler
from jido_jupyter.server.routes import ROUTES
from jido_jupyter.server.table import API
from tests.support.servers import serving

FUZZING_S = 150  # the machine may be busy; it takes about 30
HERE = Path(__file__).parent
GENEROUS = {
    "JIDO_MAX_SESSIONS": "100000",
    "JIDO_RESUME_LIMIT": "100000",
    "JIDO_RATE_LIMITS": "search=100000/60 export=100000/60 import=100000/60 cleanup=100000/60",
}


async def test_the_document_is_served(call, jp_base_url) -> None:
    """It is valid OpenAPI 3.1, and names the server's own address."""
    status, headers, found = await call("GET", "openapi.json")
    again, _, _ = await call("GET", "openapi.json", headers={"If-None-Match": headers["ETag"]})

    OpenAPIV31SpecValidator(found).validate()
    assert (status, again) == (200, 304)
    assert found["servers"] == [{"url": f"{jp_base_url}{API}"}]


def test_the_document_is_the_routes(jp_serverapp) -> None:
    """Each address that the server knows stands in it with each of its verbs, and no other."""
    documented = {
        path: {verb for verb in item if verb != "parameters"} for path, item in openapi.document()["paths"].items()
    }
    handlers = [
        (rule.matcher.regex.pattern, rule.target)
        for group in jp_serverapp.web_app.default_router.rules
        for rule in group.target.rules
        if f"/{API}" in getattr(getattr(rule.matcher, "regex", None), "pattern", "")
    ]

    served = {}
    for pattern, handler in handlers:
        if handler is not UnknownHandler:
            path = re.sub(r"\$$", "", pattern).partition(API)[2].replace("([^/]+)", "{id}").replace("\\", "")
            own = {verb.lower() for verb in handler.route.verbs}
            assert all(verb in vars(handler) for verb in own)
            served[path] = own

    assert served == documented
    assert len(served) == len(ROUTES)


def test_the_page_is_current() -> None:
    """docs/rest-api.md is what `python -m jido_jupyter.server.reference` writes."""
    page = Path("docs/rest-api.md").read_text(encoding="utf-8")

    assert page == reference.page(openapi.document())


def test_a_fuzzer_finds_nothing(tmp_path: Path) -> None:
    """All checks on all operations: answers are as documented, wrong requests are refused, right ones taken, nothing is a 500."""
    command = [
        shutil.which("schemathesis", path=str(Path(sys.executable).parent)) or "schemathesis",
        f"--config-file={HERE / 'schemathesis.toml'}",
        "run",
        "--phases=examples,coverage,fuzzing,stateful",
        "--max-examples=10",
        "--exclude-path-regex=events",  # it does not end
        "--continue-on-failure",
        "--no-color",
        "--seed=1",
    ]

    with serving(tmp_path, **GENEROUS) as server:
        command += [f"--header=Authorization: token {server.token}", f"{server.api}/openapi.json"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=FUZZING_S, cwd=tmp_path)
        log = server.log

    assert ran.returncode == 0, ran.stdout[-6000:]
    assert "Traceback" not in log
