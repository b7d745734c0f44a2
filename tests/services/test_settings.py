"""Settings: the environment wins, and what has no meaning is an error that names it."""

import pytest

from jido_jupyter.errors import InvalidSetting
from jido_jupyter.services.settings import Settings, read


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
