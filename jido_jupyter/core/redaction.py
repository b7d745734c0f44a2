r"""Keys and passwords taken out of text before it is stored: a table of patterns, and what applies it.

Best effort: what looks like no key that is known here stays. Values are replaced, never syntax, so that code stays code.

Laws of this file:

- Time grows with the length of the text, whatever stands in it: each pattern begins with a literal, what it repeats is
  possessive or bounded, and no two of its repetitions can take the same characters.
- A look at what stands before comes after the literal: a look-behind in the first place would cost the search for the
  literal, and with it seconds in ten megabytes.
- What was redacted once stays as it is: no pattern takes ``[redacted: ...]``.

Source: https://github.com/gitleaks/gitleaks (forms of keys).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from jido_jupyter.core.messages import Message, Part

HOLD: Final = 8192  # characters at the end of a stream that may wait for the end of a key

_compiled: Final = functools.cache(re.compile)  # at first use: a list of sessions redacts nothing
_NO_PLACEHOLDER: Final = r"(?![\[{<$*]|%\(|\.\.\.)"  # what templates and documents write where a secret goes
_WITH_DIGIT: Final = r"""(?=[^\s"'\\0-9=]{0,64}[0-9])"""
_PASSWORDS: Final = ("password", "Password", "PASSWORD", "passwd", "PASSWD", "passphrase")
_SECRETS: Final = (
    *("api_key", "apikey", "api-key", "apiKey", "API_KEY", "APIKEY"),
    *("secret", "Secret", "SECRET", "token", "Token", "TOKEN"),
    *("access_key", "ACCESS_KEY", "secret_key", "SECRET_KEY", "private_key", "PRIVATE_KEY"),
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One kind of secret. What the group ``before`` of ``source`` matches stays."""

    name: str  # as it is shown
    source: str  # of a regular expression
    hints: tuple[
        str, ...
    ] = ()  # a text without any of them is not searched; none: the expression begins with a literal

    @property
    def replacement(self) -> str:
        before = r"\g<before>" if "(?P<before>" in self.source else ""
        return f"{before}[redacted: {self.name}]"


def _token(name: str, start: str, rest: str, *, hint: str = "") -> Pattern:
    """Return the pattern of keys that begin with a word of their own, and stand apart from the words around them."""
    return Pattern(name, f"{start}(?<![A-Za-z0-9_]{start}){rest}", (hint,) if hint else ())


def _named(name: str, words: tuple[str, ...], hints: tuple[str, ...], value: str) -> Pattern:
    """Return the pattern of quoted values that are given to a name which ends with one of ``words``."""
    given = rf"""(?P<before>(?:{"|".join(words)})(?:\\?["'])?\s{{0,8}}[=:]\s{{0,8}}\\?["']){_NO_PLACEHOLDER}"""
    return Pattern(name, rf"""{given}{value}(?=\\?["'])""", hints)


# The order counts: what says more about a key comes first.
PATTERNS: Final = (
    Pattern(
        "private key",
        # Whole, or cut off after some lines. Code that only speaks of the marks has brackets between them.
        (
            r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:(?:[^-(){}<>\[\]]|-(?!----)){60,}+-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----"
            r"|(?:(?:\s|\\[nr]){1,8}+[A-Za-z0-9+/=]{40,}+)+(?:(?:\r?\n|\\n)[A-Za-z0-9+/=]+)?)"
        ),
        ("PRIVATE KEY",),
    ),
    _token("Anthropic key", "sk-ant-", r"[A-Za-z0-9_-]{20,}", hint="sk-"),
    _token("OpenRouter key", "sk-or-", r"[A-Za-z0-9_-]{20,}", hint="sk-"),
    _token("OpenAI key", "sk-", r"(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}", hint="sk-"),
    _token("OpenAI key", "sk-", r"[A-Za-z0-9]{20,}", hint="sk-"),  # scikit-learn's CSS classes have dashes
    _token("AWS key id", "AKIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _token("AWS key id", "ASIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    Pattern(
        "AWS secret",
        (
            r"(?P<before>(?:aws_secret_access_key|AWS_SECRET_ACCESS_KEY|SecretAccessKey|aws_session_token|AWS_SESSION_TOKEN)"
            r"""(?:\\?["'])?\s{0,8}[=:]\s{0,8}(?:\\?["'])?)[A-Za-z0-9/+=]{40,}"""
        ),
        ("aws_se", "AWS_SE", "SecretAccessKey"),
    ),
    _token("GitHub token", "gh[posur]_", r"[A-Za-z0-9]{30,}"),
    _token("GitHub token", "github_pat_", r"[A-Za-z0-9_]{30,}"),
    _token("GitLab token", "glpat-", r"[A-Za-z0-9_.-]{20,}"),
    _token("Google key", "AIza", r"[A-Za-z0-9_-]{30,}"),
    _token("Slack token", "xox[abeprs]-", r"[A-Za-z0-9-]{16,}"),
    _token("Slack token", "xapp-", r"[A-Za-z0-9-]{16,}"),
    _token("Hugging Face token", "hf_", r"[A-Za-z0-9]{30,}"),
    _token("Stripe key", "[rs]k_live_", r"[A-Za-z0-9]{16,}", hint="k_live_"),
    _token("JSON web token", "eyJ", r"[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+"),
    Pattern(
        "password in a URL",
        (
            rf"""(?P<before>://[^\s/:@"'<>]{{0,256}}+:){_NO_PLACEHOLDER}"""
            r"""(?!(?:password|passwd|pass|pwd|secret|token|key|x{2,})@)[^\s/@"'<>]{1,256}+(?=@)"""
        ),
    ),
    Pattern(
        "token in a URL",
        (rf"(?P<before>[?&](?:access_)?(?:token|api_?key)=){_NO_PLACEHOLDER}[A-Za-z0-9._~%-]{{16,}}"),
        ("token=", "api_key=", "apikey="),
    ),
    Pattern(
        "token in a header",
        (r"(?P<before>[Bb]earer )(?=[A-Za-z._~+/=-]{0,512}[0-9])[A-Za-z0-9._~+/=-]{16,}"),
        ("earer ",),
    ),
    _named("password", _PASSWORDS, ("assw", "ASSW", "assphrase"), r"""[^\s"'\\]{6,512}+"""),
    _named(
        "secret",
        _SECRETS,
        ("oken", "ecret", "_key", "OKEN", "ECRET", "_KEY", "piKey", "pikey", "pi-key", "PIKEY"),
        rf"""{_WITH_DIGIT}[^\s"'\\]{{12,512}}+""",
    ),
    Pattern(  # as in %env, export and .env files
        "secret",
        (
            rf"(?P<before>(?:PASSWORD|PASSWD|TOKEN|SECRET|_KEY)=){_NO_PLACEHOLDER}{_WITH_DIGIT}"
            r"""[^\s"'`(){}\[\]<>\\]{8,512}+(?![(\[])"""
        ),
        ("PASSWORD=", "PASSWD=", "TOKEN=", "SECRET=", "_KEY="),
    ),
)

_NAMES: Final = "|".join(dict.fromkeys(re.escape(word) for word in (*_PASSWORDS, *_SECRETS)))
_UNFINISHED: Final = (
    rf"""(?:(?:{_NAMES})(?:\\?["'])?\s{{0,8}}(?:[=:]\s{{0,8}})?|[Bb]earer[ ])?\S*\Z"""  # a name, or the last word
)
_PEM_END: Final = r"-----END [A-Z0-9 ]{0,48}-----"
_PEM: Final = r"-----BEGIN [A-Z0-9 ]{0,32}(?:PRIVATE KEY|\Z)"


def redact(text: str) -> tuple[str, int]:
    """Return ``text`` with known keys and passwords replaced, and how many there were.

    >>> redact("use AKIAQWERTYUIOPASDFGH here")
    ('use [redacted: AWS key id] here', 1)
    """
    count = 0
    held: dict[str, bool] = {}  # hints are shared, and looking for one takes a while in a long text

    def holds(hint: str) -> bool:
        if hint not in held:
            held[hint] = hint in text
        return held[hint]

    for pattern in PATTERNS:
        if not pattern.hints or any(map(holds, pattern.hints)):
            text, found = _compiled(pattern.source).subn(pattern.replacement, text)
            count += found
    return text, count


def redact_value(value: Any) -> tuple[Any, int]:
    """Return a JSON value with the texts in it redacted, at any depth; the same object where there was nothing.

    What stands under a name such as ``password`` is judged as if it were assigned to it.
    """
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        items = {name: _redact_member(name, item) for name, item in value.items()}
        count = sum(found for _, found in items.values())
        return ({name: item for name, (item, _) in items.items()}, count) if count else (value, 0)
    if isinstance(value, list | tuple):
        redacted = [redact_value(item) for item in value]
        count = sum(found for _, found in redacted)
        return (type(value)(item for item, _ in redacted), count) if count else (value, 0)
    return value, 0


def redact_message(message: Message) -> Message:
    """Return a message with its parts, its error and what it carries besides redacted.

    How many secrets it held stands in its ``ext`` as ``redacted``, so that it is known for as long as the message is.
    """
    parts = [_redact_part(part) for part in message.parts]
    error, in_error = redact_value(message.error)
    ext, in_ext = redact_value(message.ext)
    count = sum(found for _, found in parts) + in_error + in_ext
    if not count:
        return message
    before = ext.get("redacted")
    ext = {**ext, "redacted": count + (before if isinstance(before, int) else 0)}
    return replace(message, parts=tuple(part for part, _ in parts), error=error, ext=ext)


def unfinished(text: str) -> int:
    """Return where the end of ``text`` begins that may be the beginning of a secret: its last word, with what names it.

    At most the last `HOLD` characters; a longer word is no key that is known here.
    """
    floor = max(0, len(text) - HOLD)
    begin = text.rfind("-----BEGIN ", floor)
    if begin >= 0 and _compiled(_PEM).match(text, begin) and not _compiled(_PEM_END).search(text, begin):
        return begin
    found = _compiled(_UNFINISHED).search(text, max(floor, _word_start(text) - 64))
    return found.start() if found else len(text)


def _word_start(text: str) -> int:
    """Return where the last word begins; a text that ends with a space has an empty one."""
    return max(text.rfind(space) for space in (" ", "\n", "\t", "\r")) + 1


def _redact_part(part: Part) -> tuple[Part, int]:
    if part.get("type") in ("blob", "file"):  # bytes in base64, where a pattern would only hit by chance
        return part, 0
    items = {name: (item, 0) if name in ("type", "id") else redact_value(item) for name, item in part.items()}
    count = sum(found for _, found in items.values())
    return ({name: item for name, (item, _) in items.items()}, count) if count else (part, 0)


def _redact_member(name: Any, value: Any) -> tuple[Any, int]:
    redacted, count = redact_value(value)
    if count or not isinstance(name, str) or not isinstance(value, str):
        return redacted, count
    head, tail = f'{name}="', '"'
    assigned, count = redact(f"{head}{value}{tail}") if _compiled(_ENDS_NAMED).search(name) else ("", 0)
    return (assigned[len(head) : -len(tail)], count) if count else (value, 0)


_ENDS_NAMED: Final = rf"(?:{_NAMES})\Z"
