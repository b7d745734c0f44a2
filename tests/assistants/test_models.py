import importlib.util
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jido_jupyter.assistants.endpoints import PROVIDERS, Endpoint, find_endpoint, find_ollama, has_library
from jido_jupyter.assistants.guide import MODEL_ID
from jido_jupyter.assistants.models import ModelChoice, build, choose, offers, parse_model_id
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


@pytest.mark.parametrize("text", ["", "gpt-5", "openai:", "openai: ", "ollama:a b", "nobody:x", "guide:other", ":x"])
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

    assert endpoint == Endpoint(f"http://{host}:8000/v1", "none", False, "OPENAI_BASE_URL", "OPENAI_API_KEY")


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


NATIVE = {"anthropic": "ANTHROPIC_API_KEY", "google": "GOOGLE_API_KEY"}


@pytest.mark.parametrize(
    ("provider", "environ", "url", "key", "use_proxy"),
    [
        ("openrouter", {"OPENROUTER_API_KEY": "k"}, "https://openrouter.ai/api/v1", "k", True),
        ("vllm", {}, "http://127.0.0.1:8000/v1", "none", False),
        ("vllm", {"VLLM_BASE_URL": "http://gpu:1/v1", "VLLM_API_KEY": "k"}, "http://gpu:1/v1", "k", True),
        ("lmstudio", {}, "http://127.0.0.1:1234/v1", "none", False),
        ("anthropic", {"ANTHROPIC_API_KEY": "k"}, "https://api.anthropic.com", "k", True),
        ("google", {"GEMINI_API_KEY": "k"}, "https://generativelanguage.googleapis.com", "k", True),
        ("bedrock", {}, "", "none", True),
    ],
)
def test_where_each_provider_is(provider: str, environ: dict[str, str], url: str, key: str, use_proxy: bool) -> None:
    """Each provider has its own address and key; none takes that of another."""
    endpoint = find_endpoint(provider, {"OPENAI_API_KEY": "other", "OPENAI_BASE_URL": "http://other/v1", **environ})

    assert (endpoint.url, endpoint.api_key, endpoint.use_proxy) == (url, key, use_proxy)


@pytest.mark.parametrize("provider", ["openrouter", *NATIVE])
def test_each_missing_key_is_named(provider: str) -> None:
    """A key that is missing is named by the variable of its provider."""
    with pytest.raises(AssistantUnavailable, match=f"{PROVIDERS[provider].key_settings[0]} is not set"):
        find_endpoint(provider, {"OPENAI_API_KEY": "other"})


@pytest.mark.parametrize("provider", ["anthropic", "google", "bedrock"])
def test_a_missing_library_is_told_with_its_command(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra of a provider, one sentence says how to install it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    environ = dict.fromkeys(NATIVE.values(), "k")

    with pytest.raises(AssistantUnavailable) as caught:
        build(ModelChoice(f"{provider}:x", "chosen"), environ)

    assert f"pip install 'jido_jupyter[{provider}]'" in str(caught.value)


def test_the_guide_needs_no_library() -> None:
    """What needs no extra has all it needs."""
    assert has_library(PROVIDERS["guide"])
    assert not has_library(replace(PROVIDERS["google"], library="no_such_package.at_all"))


class Keyring:
    """The OS keyring, as the package ``keyring`` shows it."""

    def __init__(self, **stored: str) -> None:
        self.stored = stored

    def get_password(self, service: str, name: str) -> str | None:
        assert service == "jido_jupyter"
        return self.stored.get(name)


def test_a_key_may_stand_in_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment has no key, the keyring is asked; the environment wins."""
    monkeypatch.setitem(sys.modules, "keyring", Keyring(OPENAI_API_KEY="from-keyring"))

    assert find_endpoint("openai", {}).api_key == "from-keyring"
    assert find_endpoint("openai", {"OPENAI_API_KEY": "from-environment"}).api_key == "from-environment"


@pytest.mark.parametrize("keyring", [None, object()])
def test_a_keyring_that_does_not_work_is_none(keyring: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not installed, or without a backend: as if there were no key."""
    monkeypatch.setitem(sys.modules, "keyring", keyring)

    with pytest.raises(AssistantUnavailable):
        find_endpoint("openai", {})


@pytest.mark.parametrize(
    ("setting", "chosen", "own", "expected"),
    [
        ("openai:a", "ollama:b", "vllm:c", ModelChoice("openai:a", "setting")),
        (None, "ollama:b", "vllm:c", ModelChoice("vllm:c", "session")),
        (None, "ollama:b", "", ModelChoice("ollama:b", "chosen")),
        (None, None, "vllm:c", ModelChoice("vllm:c", "session")),
    ],
)
def test_the_honest_order(setting: str | None, chosen: str | None, own: str | None, expected: ModelChoice) -> None:
    """The setting, then the session's own model, then the one for all, then the guide."""
    assert choose(setting, chosen, own) == expected


def test_a_session_with_an_unknown_model_says_so() -> None:
    """A session from elsewhere may name a model that nobody knows here."""
    with pytest.raises(InvalidSetting, match="model of this session"):
        choose(None, None, "nobody:x")


NOWHERE = {
    "OLLAMA_HOST": "http://127.0.0.1:9",
    "VLLM_BASE_URL": "http://127.0.0.1:9/v1",
    "LMSTUDIO_BASE_URL": "http://127.0.0.1:9/v1",
}


def test_offers_what_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment or the keyring is a reason; the guide is always there."""
    monkeypatch.setitem(sys.modules, "keyring", Keyring(OPENROUTER_API_KEY="k"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    found = offers({**NOWHERE, "OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"})

    assert [(offer.provider, offer.models, offer.reason) for offer in found] == [
        ("openai", (), "OPENAI_API_KEY is set"),
        ("openrouter", (), "OPENROUTER_API_KEY is in the keyring"),
        (
            "anthropic",
            (),
            "ANTHROPIC_API_KEY is set; it still needs: pip install 'jido_jupyter[anthropic]'",
        ),
        ("guide", ("jido-guide-1",), "always here; no language model"),
    ]
    assert found[0].model_ids == ("openai:<model name>",)


def test_offers_what_answers_here(server: Loopback) -> None:
    """Servers on this machine are offered with their models."""
    found = offers(
        {
            "OLLAMA_HOST": server.root,
            "VLLM_BASE_URL": server.url,
            "LMSTUDIO_BASE_URL": "http://127.0.0.1:9/v1",
            "OPENAI_BASE_URL": server.url,
        },
        timeout_s=2,
    )

    assert [(offer.provider, offer.reason) for offer in found] == [
        ("openai", "OPENAI_BASE_URL answers here"),
        ("ollama", "Ollama answers here"),
        ("vllm", "vLLM answers here"),
        ("guide", "always here; no language model"),
    ]
    assert found[1].model_ids == tuple(f"ollama:{name}" for name in MODELS)
    assert found[2].models == MODELS


def test_offers_wait_for_all_at_once() -> None:
    """Servers that accept and stay silent hold the list up for one timeout, not for one each."""
    with socket.create_server(("127.0.0.1", 0), backlog=9) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        started = time.monotonic()

        found = offers({"OLLAMA_HOST": url, "VLLM_BASE_URL": url, "LMSTUDIO_BASE_URL": url, "OPENAI_BASE_URL": url})

        assert time.monotonic() - started < 2
    assert [offer.provider for offer in found] == ["guide"]


def test_an_address_without_meaning_offers_nothing() -> None:
    """The list is shown although one of the settings is wrong."""
    assert [offer.provider for offer in offers({**NOWHERE, "VLLM_BASE_URL": "http://[::1"})] == ["guide"]
