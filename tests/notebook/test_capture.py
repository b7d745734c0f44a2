"""Output that is shown and kept."""

from __future__ import annotations

import sys

import pytest

from jido_jupyter.notebook.capture import MAX_KEPT, captured
from tests.support.shells import make_shell, run


def test_what_is_printed_is_shown_and_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """Both streams, in order; afterwards nothing is kept any more."""
    shell = make_shell()
    with captured(shell) as found:
        run(shell, "import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.stdout.writelines(['a', 'b'])")
    print("later")

    assert found.text == "out\nerr\nab"
    shown = capsys.readouterr()
    assert shown.out == "out\nablater\n"
    assert shown.err == "err\n"


def test_displays_are_kept_as_text() -> None:
    """Through the shell's publisher, which is left as it was."""
    shell = make_shell()
    publish = shell.display_pub.publish
    shell.user_ns["display"] = lambda data, **more: shell.display_pub.publish(data, **more)
    with captured(shell) as found:
        run(shell, "display({'text/plain': 'a table', 'text/html': '<b>'})", "display({'image/png': b''})")

    assert found.text == "a table\n(image/png)\n"
    assert shell.display_pub.publish == publish


def test_the_streams_come_back_after_an_error() -> None:
    """Whatever happens in the block."""
    outer = sys.stdout
    with pytest.raises(ZeroDivisionError), captured(make_shell()):
        raise ZeroDivisionError

    assert sys.stdout is outer


def test_what_is_kept_is_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    """A loop that prints without end is shown, and fills no memory."""
    with captured(make_shell()) as found:
        for _ in range(30):
            print("x" * 100_000)

    assert len(found.text) <= MAX_KEPT + 100_001
    assert len(capsys.readouterr().out) == 30 * 100_001
