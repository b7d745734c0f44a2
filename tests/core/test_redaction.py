"""Keys and passwords are taken out of what is stored; what only looks a little like one stays."""

from __future__ import annotations

import time

import pytest

from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.redaction import HOLD, redact, redact_message, redact_value, unfinished

LETTERS = "aB3dE5fG7hJ9kL1m"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{LETTERS * 4}\n{LETTERS * 4}\n-----END RSA PRIVATE KEY-----"

# Put together here, so that no scanner of repositories takes them for real ones.
SECRETS = [
    ("OpenAI key", "sk-" + LETTERS * 3),
    ("OpenAI key", "sk-proj-" + LETTERS * 2 + "-_" + LETTERS),
    ("Anthropic key", "sk-ant-" + "api03-" + LETTERS * 6 + "AA"),
    ("OpenRouter key", "sk-or-" + "v1-" + "0123456789abcdef" * 4),
    ("AWS key id", "AKIA" + "QWERTYUIOPASDFGH"),
    ("GitHub token", "ghp_" + "a1B2c3D4e5F6" * 3),
    ("GitHub token", "gho_" + "a1B2c3D4e5F6" * 3),
    ("GitHub token", "ghs_" + "a1B2c3D4e5F6" * 3),
    ("GitHub token", "github_pat_" + "1A2b3C4d5E" * 8),
    ("GitLab token", "glpat-" + "a1B2c3D4e5F6-_x7Y8z9"),
    ("Google key", "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"[:35]),
    ("Slack token", "xoxb-" + "123456789012-123456789012-" + "a1B2c3D4e5F6g7H8"),
    ("Hugging Face token", "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH"),
    ("Stripe key", "sk_live_" + LETTERS * 2),
    ("JSON web token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0." + "c2lnbmF0dXJlc2lnbmF0dXJl"),
    ("private key", PEM),
    ("private key", PEM.replace("\n", "\\n")),
    ("private key", PEM[:120]),
]
# The text, and what of it is a secret.
ASSIGNED = [
    ('password = "hunter2"', "hunter2"),
    ("db_password='correcthorse!'", "correcthorse!"),
    ('{"api_key": "abcd1234efgh5678"}', "abcd1234efgh5678"),
    ('{\\"api_key\\": \\"abcd1234efgh5678\\"}', "abcd1234efgh5678"),
    ("client(token='0123456789abcdef')", "0123456789abcdef"),
    ('SECRET_KEY: "django-insecure-1x2y3z"', "django-insecure-1x2y3z"),
    (
        "aws_secret_access_key = " + "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYEXAMPLEKEY",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    ),
    ("%env SERVICE_TOKEN=abc123def456", "abc123def456"),
    ("postgres://bob:s3cr3t@db:5432/x", "s3cr3t"),
    ("redis://:s3cr3t@cache", "s3cr3t"),
    ("http://localhost:8888/lab?token=" + "0123456789abcdef" * 3, "0123456789abcdef" * 3),
    ("Authorization: Bearer " + "Zm9vYmFyYmF6cXV4MDEy", "Zm9vYmFyYmF6cXV4MDEy"),
]
CLEAN = [
    "def f(x): return x",
    "the token count was 1234; the secret of a good plot is its password-free axis",
    "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "commit 7d1cc5f0f2d9b7a1c3e4f5a6b7c8d9e0f1a2b3c4",
    "uuid 7f9c0e8a-1f7b-4e3e-9f52-0a0a0a0a0a0a",
    "see https://example.org/?page=2&key=blue and http://127.0.0.1:8888/tree",
    "mail bob@example.org, or git@github.com:owner/name.git, or ssh://git@host:22/x",
    'password = getpass("password: ")',
    'password = os.environ["DB_PASSWORD"]',
    'api_key = os.getenv("OPENAI_API_KEY")',
    'api_key = "<your key>"; token = "${TOKEN}"; password = "{password}"; secret = "..."',
    'url = f"postgres://{user}:{password}@{host}/db"',
    "postgres://user:password@localhost/db",
    'tokenizer.pad_token = "[PAD]"; eos_token="<|endoftext|>"; token = "understanding"',
    '{"token": "hello", "password": null, "secret": true}',
    "OPENAI_API_KEY=sk-... and TOKEN=os.environ",
    'div class="sk-top-container sk-toggleable__label-arrow sk-estimator-doc-link"',
    "task-abcdefghijklmnopqrstuvwxyz risk-0123456789012345678901234567890",
    "hf_hub_download_with_some_long_name(repo_id), hf_transformers_model_for_causal_lm",
    "the header 'Authorization: Bearer <token>' carries it; Bearer authentication-scheme",
    'if "-----BEGIN PRIVATE KEY-----" in text and text.endswith("-----END PRIVATE KEY-----"): load(text, password=None)',
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "df['secret_score'] = df.token_count / df.password_resets",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "[redacted: OpenAI key]",
]


@pytest.mark.parametrize(("name", "secret"), SECRETS)
def test_a_known_key_is_replaced_by_its_kind(name: str, secret: str) -> None:
    """Only the key goes; what stands around it stays, and it is counted."""
    for before, after in (("use ", " here"), ('key = "', '"'), ("(", ")"), ("", "\n")):
        assert redact(f"{before}{secret}{after}") == (f"{before}[redacted: {name}]{after}", 1)


@pytest.mark.parametrize(("text", "secret"), ASSIGNED)
def test_what_is_given_to_a_telling_name_is_replaced(text: str, secret: str) -> None:
    """The value goes, the name and the quotes around it stay, so that code stays code."""
    clean, count = redact(text)

    before, _, after = text.partition(secret)
    assert count == 1
    assert clean.startswith(f"{before}[redacted: ")
    assert clean.endswith(f"]{after}")


@pytest.mark.parametrize("text", CLEAN)
def test_ordinary_text_stays(text: str) -> None:
    """Code, hashes, addresses, placeholders and class names are left alone."""
    assert redact(text) == (text, 0)


@pytest.mark.parametrize("text", [*(secret for _, secret in SECRETS), *(text for text, _ in ASSIGNED)])
def test_redacting_twice_changes_nothing(text: str) -> None:
    """What was redacted is no secret any more."""
    once, _ = redact(f'x = "{text}"')

    assert redact(once) == (once, 0)


def test_several_are_counted() -> None:
    """Each secret counts."""
    assert redact(" ".join(secret for _, secret in SECRETS[:5]))[1] == 5


HOSTILE = [
    *("sk-", "sk-ant-", " sk-aaaaaaaaaaaaaaaaaaa ", "eyJ", "eyJaaaaaaaa.", "eyJaaaaaaaa.eyJaaaaaaaa "),
    *("-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n" + "A" * 39 + "\n", "PRIVATE KEY"),
    *("password=", 'password = "', "password='a", 'token:"', "api_key=  ", 'secret="a b', 'token="' + "a" * 600),
    *("://", "://a:", "http://a:b", "Bearer ", "Bearer " + "a" * 600, "?token=", "PASSWORD=", "_KEY=a", "AKIA", "hf_"),
    *("a", " ", "\n", "-", '"', "é", "password \t"),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_takes_no_longer_than_any_other(piece: str) -> None:
    """Half a megabyte of beginnings without ends takes a twentieth of a second or so: time grows with the length only."""
    text = (piece * (500_000 // len(piece) + 1))[:500_000]

    started = time.process_time()
    redact(text)
    unfinished(text)

    assert time.process_time() - started < 2.5  # quadratic would take minutes


def test_ten_megabytes_take_no_time_to_speak_of() -> None:
    """Ten megabytes of ordinary code, where most hints are met, are searched in well under a second of work."""
    code = "\n".join(CLEAN)
    text = code * (10_000_000 // len(code))

    started = time.process_time()
    redact(text)

    assert time.process_time() - started < 20  # 0.8 s on a slow machine that does nothing else


def test_a_value_is_redacted_at_any_depth() -> None:
    """Texts in lists and objects are redacted; where there is nothing, the same object comes back."""
    secret = SECRETS[0][1]
    value = {"code": ["print(1)", {"env": f"KEY={secret}"}], "n": 3, "none": None}

    clean, count = redact_value(value)

    assert clean == {"code": ["print(1)", {"env": "KEY=[redacted: OpenAI key]"}], "n": 3, "none": None}
    assert count == 1
    assert redact_value(clean)[0] is clean


def test_a_member_with_a_telling_name_is_judged_by_it() -> None:
    """A password in an object goes like one that is assigned; a word that is none stays."""
    clean, count = redact_value({"db_password": "hunter22", "api_key": "abcd1234efgh5678", "token": "hello"})

    assert clean == {"db_password": "[redacted: password]", "api_key": "[redacted: secret]", "token": "hello"}
    assert count == 2


def test_a_message_is_redacted_in_all_that_is_text() -> None:
    """Text, reasoning, arguments, results, error and extras are redacted; ids and pictures stay as they are."""
    secret = SECRETS[0][1]
    picture = {"type": "blob", "mime_type": "image/png", "content": f"abc+{secret}"}
    message = Message(
        "m1",
        "assistant",
        (
            text_part(f"a {secret}"),
            {"type": "reasoning", "content": secret},
            {"type": "tool_call", "id": secret, "name": "run", "arguments": {"code": [secret]}},
            {"type": "tool_call_response", "id": secret, "response": {"out": secret}},
            picture,
        ),
        "2026-11-20T10:00:00.000Z",
        error=f"refused {secret}",
        ext={"raw": {"deep": secret}},
    )

    clean = redact_message(message)

    mark = "[redacted: OpenAI key]"
    assert [clean.parts[0]["content"], clean.parts[1]["content"]] == [f"a {mark}", mark]
    assert clean.parts[2] == {"type": "tool_call", "id": secret, "name": "run", "arguments": {"code": [mark]}}
    assert clean.parts[3] == {"type": "tool_call_response", "id": secret, "response": {"out": mark}}
    assert clean.parts[4] is picture
    assert (clean.error, clean.ext) == (f"refused {mark}", {"raw": {"deep": mark}, "redacted": 6})
    assert redact_message(clean) is clean


@pytest.mark.parametrize(
    "text", [*(f"so: {secret}" for _, secret in SECRETS), *(f"so: {text}" for text, _ in ASSIGNED)]
)
def test_no_piece_of_a_secret_gets_out_while_it_streams(text: str) -> None:
    """Wherever a secret is cut, what may be written before the rest came holds none of its ends."""
    clean, _ = redact(text)

    for cut in range(1, len(text)):
        arrived = text[:cut]
        written = redact(arrived[: unfinished(arrived)])[0]
        assert clean.startswith(written), f"cut at {cut}: {written!r}"


def test_a_finished_word_waits_for_nothing() -> None:
    """What ends with a space may be written whole; otherwise the last word waits, and no more than the bound."""
    assert unfinished("early words ") == len("early words ")
    assert unfinished("early words") == len("early ")
    assert unfinished("x" * 100_000) == 100_000 - HOLD
