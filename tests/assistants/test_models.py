import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jido_jupyter.assistants.endpoints import Endpoint, find_endpoint, find_ollama
from jido_jupyter.assistants.guide import MODEL_ID
from jido_jupyter.assistants.models import ModelChoice, build, choose, parse_model_id
from jido_jupyter.errors import AssistantUnavailable, InvalidSetting
from tests.support.openai_loopback import MODELS, Loopback

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with Loopback() as loopback:
        yield loopback


def run_fresh(code: str) -> str:
    """Return what ``code`` prints in a Python of its own."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("openai:gpt-5", ("openai", "gpt-5")),
        ("openai:org/model", ("openai", "org/model")),
        ("ollama:llama3.2:3b", ("ollama", "llama3.2:3b")),
        ("guide:jido-guide-1", ("guide", "jido-guide-1")),
    ],
)
def test_parse(text: str, expected: tuple[str, str]) -> None:
    """A model id is a provider and a name, which may hold colons and slashes itself."""
    assert parse_model_id(text) == expected


@pytest.mark.parametrize("text", ["", "gpt-5", "openai:", "openai: ", "ollama:a b", "anthropic:x", "guide:other", ":x"])
def test_parse_refuses(text: str) -> None:
    """Anything else is an error that names the setting and the accepted forms."""
    with pytest.raises(InvalidSetting) as caught:
        parse_model_id(text)

    for part in ("JIDO_MODEL", "openai:<model name>", "ollama:<model name>", MODEL_ID):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "chosen", "expected"),
    [
        ("openai:a", "ollama:b", ModelChoice("openai:a", "setting")),
        (None, "ollama:b", ModelChoice("ollama:b", "chosen")),
        ("", "ollama:b", ModelChoice("ollama:b", "chosen")),
        (None, None, ModelChoice(MODEL_ID, "default")),
    ],
)
def test_choose(setting: str | None, chosen: str | None, expected: ModelChoice) -> None:
    """The setting wins over the confirmed model, that over the guide."""
    assert choose(setting, chosen) == expected


def test_choose_refuses_a_wrong_setting() -> None:
    """A wrong setting is told, not passed over in favour of the next choice."""
    with pytest.raises(InvalidSetting):
        choose("gpt-5", "ollama:b")


def test_find_ollama(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """A running Ollama tells its models, whatever proxy the environment names."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    port = server.root.rpartition(":")[2]

    for host in (server.root, f"{server.root}/", f"127.0.0.1:{port}", f"0.0.0.0:{port}", f":{port}"):
        assert find_ollama({"OLLAMA_HOST": host}, timeout_s=2) == list(MODELS)


def test_find_ollama_elsewhere(server: Loopback) -> None:
    """A server that is no Ollama, and an address that is none, offer nothing."""
    assert find_ollama({"OLLAMA_HOST": f"{server.root}/nowhere"}) == []
    assert find_ollama({"OLLAMA_HOST": "http://127.0.0.1:9"}) == []
    assert find_ollama({"OLLAMA_HOST": "http://[::1"}) == []


def test_find_ollama_gives_up() -> None:
    """A server that accepts and stays silent holds the probe up for the timeout only."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()

        assert find_ollama({"OLLAMA_HOST": f"127.0.0.1:{silent.getsockname()[1]}"}) == []
        assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("host", "url"),
    [
        (None, "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:11434", "http://127.0.0.1:11434/v1"),
        ("gpu-box", "http://gpu-box:11434/v1"),
        ("https://ollama.example.org", "https://ollama.example.org/v1"),
        ("[::1]:1234", "http://[::1]:1234/v1"),
        ("http://127.0.0.1:1/base/", "http://127.0.0.1:1/base/v1"),
    ],
)
def test_ollama_endpoint(host: str | None, url: str) -> None:
    """OLLAMA_HOST is completed the way Ollama does, and reached without key and proxy."""
    endpoint = find_endpoint("ollama", {} if host is None else {"OLLAMA_HOST": host})

    assert endpoint == Endpoint(url, "none", use_proxy=False, setting="OLLAMA_HOST")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.8.0.1"])
def test_local_endpoint(host: str) -> None:
    """A server on this machine needs no key and is reached without a proxy."""
    endpoint = find_endpoint("openai", {"OPENAI_BASE_URL": f"http://{host}:8000/v1"})

    assert endpoint == Endpoint(f"http://{host}:8000/v1", "none", use_proxy=False, setting="OPENAI_BASE_URL")


@pytest.mark.parametrize("environ", [{}, {"OPENAI_BASE_URL": "https://models.example.org/v1"}])
def test_remote_endpoint(environ: dict[str, str]) -> None:
    """A server elsewhere is reached with the key, through the proxy of the environment."""
    endpoint = find_endpoint("openai", {**environ, "OPENAI_API_KEY": "key"})

    assert endpoint.url == environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1")
    assert (endpoint.api_key, endpoint.use_proxy) == ("key", True)


@pytest.mark.parametrize("environ", [{}, {"OPENAI_BASE_URL": "https://models.example.org/v1", "OPENAI_API_KEY": ""}])
def test_missing_key(environ: dict[str, str]) -> None:
    """Without the key that a server elsewhere needs, the error names the variable and the ways without a key."""
    with pytest.raises(AssistantUnavailable, match=r"OPENAI_API_KEY is not set.*ollama.*guide"):
        build(ModelChoice("openai:gpt-5", "setting"), environ)


@pytest.mark.parametrize("url", ["models.example.org", "ftp://x/v1", "http:///v1", "http://u:secret@x:y/v1"])
def test_wrong_address(url: str) -> None:
    """An address that is none is an error that names the variable and shows no password."""
    with pytest.raises(InvalidSetting, match="OPENAI_BASE_URL") as caught:
        find_endpoint("openai", {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "key"})

    assert "secret" not in str(caught.value)


def test_endpoint_hides_secrets() -> None:
    """Neither the printed endpoint nor the shown address holds the key or a password."""
    endpoint = Endpoint("https://u:secret@x.org/v1?token=secret", "secret", use_proxy=True, setting="OPENAI_BASE_URL")

    assert endpoint.shown == "https://x.org/v1"
    assert "api_key" not in repr(endpoint)


def test_labels() -> None:
    """The guide's label says that it is no language model; the others are headed by their id."""
    assert build(choose(None, None), {}).label == "built-in guide, not a language model"
    assert build(choose("ollama:x", None), {}).label == "ollama:x"
    assert build(choose("ollama:x", None), {}).model_id == "ollama:x"


def test_imports_no_model_library() -> None:
    """Choosing a model loads no model library: that takes a second, and most commands never ask."""
    loaded = run_fresh(
        "import sys, jido_jupyter.assistants.models\n"
        "print(sorted({'pydantic_ai', 'pydantic', 'openai', 'httpx', 'httpx2', 'asyncio'} & set(sys.modules)))"
    )

    assert loaded == "[]"


def test_guide_needs_no_openai() -> None:
    """The guide works where the openai library is missing; a server is unavailable there, with the way out."""
    printed = run_fresh(
        "import sys; sys.modules['openai'] = None\n"
        "from jido_jupyter.assistants.models import *\n"
        "print(build(choose(None, None), {}).model_id)\n"
        "try: build(choose('ollama:x', None), {})\n"
        "except Exception as error: print(type(error).__name__, error)"
    )

    assert printed.startswith(f"{MODEL_ID}\nAssistantUnavailable ")
    assert "sessions still work" in printed
    assert "pip install" in printed


def test_missing_library() -> None:
    """Where pydantic-ai cannot be imported, asking is unavailable and the error says what still works."""
    printed = run_fresh(
        "import sys; sys.modules['pydantic_ai.direct'] = None\n"
        "from jido_jupyter.assistants.models import *\n"
        "try: build(choose(None, None), {})\n"
        "except Exception as error: print(type(error).__name__, error)"
    )

    assert printed.startswith("AssistantUnavailable The model library cannot be loaded")
    assert "sessions still work" in printed
