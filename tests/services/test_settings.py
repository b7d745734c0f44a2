"""Settings: the environment wins, and what has no meaning is an error that names it."""

import pytest

from jido_jupyter.errors import InvalidSetting
from jido_jupyter.services.settings import RATES, Settings, read


def test_defaults() -> None:
    """Without settings the documented defaults hold."""
    assert read({}) == Settings()
    assert (Settings().max_session_size, Settings().max_sessions) == (10485760, 100)
    assert (Settings().resume_limit, Settings().resume_window) == (5, 60)


def test_the_environment_wins_over_the_file() -> None:
    """A variable beats the key in jido.toml; an empty one counts as not set."""
    settings = read({"JIDO_MAX_SESSIONS": "7", "JIDO_HOME": ""}, {"max_sessions": 8, "resume_limit": 3, "home": "/x"})

    assert (settings.max_sessions, settings.resume_limit, settings.home) == (7, 3, "/x")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JIDO_MAX_SESSIONS", "0"),
        ("JIDO_MAX_SESSIONS", "many"),
        ("JIDO_MAX_SESSION_SIZE", "-1"),
        ("JIDO_RESUME_LIMIT", "1.5"),
        ("JIDO_RESUME_WINDOW", "0"),
        ("JIDO_RESUME_WINDOW", "nan"),
        ("JIDO_RESUME_WINDOW", "inf"),
        ("JIDO_REDACT", "maybe"),
        ("JIDO_REDACT", "0"),
        ("JIDO_CONTEXT_TOKENS", "0"),
        ("JIDO_CONTEXT_TOKENS", "8k"),
    ],
)
def test_a_value_without_meaning_is_named(name: str, value: str) -> None:
    """No wrong value is taken for another meaning."""
    with pytest.raises(InvalidSetting, match=f"{name}='{value}'"):
        read({name: value})


def test_an_unknown_key_in_the_file_is_named() -> None:
    """A misspelt key does not go unnoticed."""
    with pytest.raises(InvalidSetting, match="max_sesions"):
        read({}, {"max_sesions": 5})


@pytest.mark.parametrize(("text", "redacts"), [("off", False), ("OFF", False), ("false", False), ("on", True)])
def test_redaction_is_switched_off_by_name(text: str, redacts: bool) -> None:
    """It is on unless somebody says otherwise, in the environment or in the file."""
    assert read({"JIDO_REDACT": text}).redact is redacts
    assert read({}, {"redact": redacts}).redact is redacts
    assert read({}).redact


def test_the_context_is_a_number_of_tokens() -> None:
    """Without a setting it depends on the kind of model."""
    assert read({"JIDO_CONTEXT_TOKENS": "32000"}).context_tokens == 32000
    assert read({}).context_tokens is None


def test_rate_limits_are_set_one_by_one() -> None:
    """What is not named keeps its own; an unknown operation, or no number, is an error that names the setting."""
    assert read({"JIDO_RATE_LIMITS": "import=5/10 search=7/0.5"}).rate_limits == {
        **RATES,
        "import": (5, 10.0),
        "search": (7, 0.5),
    }
    assert read({}, {"rate_limits": "export=1/60"}).rate_limits["export"] == (1, 60.0)
    for text in ("resume=5/60", "import=0/60", "import", "import=5", "import=5/0"):
        with pytest.raises(InvalidSetting, match="JIDO_RATE_LIMITS"):
            read({"JIDO_RATE_LIMITS": text})


def test_a_server_may_keep_the_sessions() -> None:
    """Its address ends in a slash, whoever wrote it; the token is never shown."""
    settings = read({"JIDO_URL": "https://host/user/ann", "JIDO_TOKEN": "s3cret"})

    assert (settings.url, settings.token) == ("https://host/user/ann/", "s3cret")
    assert "s3cret" not in repr(settings)
    assert read({"JIDO_URL": "http://[::1]:8888/"}).url == "http://[::1]:8888/"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("host/user/ann", "host/user/ann"),
        ("localhost:8888", "localhost:8888"),
        ("ftp://host/", "ftp://host/"),
        ("https://", "https://"),
        ("https://host:port/", "https://host:port/"),
        ("https://host:99999/", "https://host:99999/"),
        ("https://[::1/", "https://[::1/"),
        ("https://ho st/", "https://ho st/"),
        ("https://hóst/", "https://hóst/"),
        ("https://host/lab?token=s3cret", "https://host/lab"),
        ("https://host/#token=s3cret", "https://host/"),
        ("https://ann:s3cret@host/", "https://host/"),
    ],
)
def test_an_address_without_meaning_is_named(value: str, shown: str) -> None:
    """Without what people paste along."""
    with pytest.raises(InvalidSetting, match="JIDO_URL") as refusal:
        read({"JIDO_URL": value})

    assert refusal.value.value == shown
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize("token", ["two words", "ümlaut", "a\x00b"])
def test_a_token_that_is_none_is_not_shown(token: str) -> None:
    """The sentence says what to do without repeating it."""
    with pytest.raises(InvalidSetting, match=r"JIDO_TOKEN.*copy it") as refusal:
        read({"JIDO_URL": "https://host/", "JIDO_TOKEN": token})

    assert token not in str(refusal.value) + str(refusal.value.data)


def test_sessions_are_kept_in_one_place() -> None:
    """A folder and a server, or a token and no server, make no sense together."""
    with pytest.raises(InvalidSetting, match=r"JIDO_URL.*JIDO_HOME.*unset"):
        read({"JIDO_URL": "https://host/", "JIDO_HOME": "/x"})
    with pytest.raises(InvalidSetting, match="JIDO_URL"):
        read({}, {"url": "https://host/", "home": "/x"})
    with pytest.raises(InvalidSetting, match=r"JIDO_TOKEN.*JIDO_URL") as refusal:
        read({"JIDO_TOKEN": "s3cret"})
    assert "s3cret" not in str(refusal.value)


def test_the_environment_names_the_place_whole() -> None:
    """What the file says of another place is left out: its token is not for the server of the environment."""
    file = {"url": "https://one/", "token": "s3cret", "max_sessions": 7}

    assert read({}, file) == Settings(url="https://one/", token="s3cret", max_sessions=7)
    assert read({"JIDO_TOKEN": "other"}, file).token == "other"
    assert read({"JIDO_URL": "https://two/"}, file) == Settings(url="https://two/", max_sessions=7)
    assert read({"JIDO_HOME": "/x"}, file) == Settings(home="/x", max_sessions=7)
    assert read({"JIDO_URL": "https://two/"}, {"home": "/x"}) == Settings(url="https://two/")


def test_limits_are_those_of_the_store() -> None:
    """A server's limits take the place of one's own; the rest stays, and what nobody knows is passed over."""
    theirs = Settings(max_sessions=7, resume_limit=3, cleanup_days=9, home="/theirs", token="theirs").limits
    mine = Settings(url="https://host/", redact=False).with_limits({**theirs, "of_a_later_version": 1})

    assert mine == Settings(url="https://host/", redact=False, max_sessions=7, resume_limit=3, cleanup_days=9)
