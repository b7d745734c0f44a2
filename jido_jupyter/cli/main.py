"""``jido`` and ``jupyter jido``: the commands, each imported when it is used.

Results go to stdout, everything else to stderr. Nothing is asked where nobody can answer.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, Final, NoReturn

import click

from jido_jupyter._version import __version__
from jido_jupyter.cli.endings import INTERRUPTED, UNUSABLE, USAGE, code_of, in_a_shell
from jido_jupyter.errors import JidoError

COMMANDS: Final = {  # name: module, what it does
    "list": ("reading", "The stored sessions, newest turn first."),
    "show": ("reading", "Read a session."),
    "search": ("reading", "Find sessions by what was said, best match first."),
    "export": ("exchange", "Write sessions as JSON, Markdown or notebooks."),
    "import": ("exchange", "Bring sessions in from files, under new ids."),
    "verify": ("upkeep", "Check that sessions are as they were saved."),
    "doctor": ("upkeep", "Check folders, keys, locks, index and settings."),
    "keys": ("upkeep", "List the keys that seal sessions, or make a new one."),
    "bench": ("speed", "Measure this store's disk and what jido adds to it."),
    "cleanup": ("upkeep", "Move old sessions to the trash, after a preview."),
    "trash": ("upkeep", "List the trash, move a session there, or empty it."),
    "restore": ("upkeep", "Bring a session back from the trash."),
}


class Commands(click.Group):
    """The commands of `COMMANDS`; ``--help`` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"jido_jupyter.cli.{COMMANDS[cmd_name][0]}")
        found: click.Command = getattr(module, f"{cmd_name}_command")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="jido_jupyter")
def jido() -> None:
    """AI-assistant sessions in Jupyter: list, read, move and look after what is stored.

    A TARGET is a number in the list, an id, or the start of an id or title.
    """


def main() -> NoReturn:
    """The entry point of both scripts."""
    name = "jupyter jido" if os.path.basename(sys.argv[0]).startswith("jupyter") else "jido"
    sys.exit(run(sys.argv[1:], name))


def run(arguments: list[str], name: str = "jido") -> int:
    """Run one command and return how it ended; errors of ours are one line on stderr."""
    try:
        ended: Any = jido.main(arguments, prog_name=name, standalone_mode=False)
        sys.stdout.flush()
        return ended if isinstance(ended, int) else 0
    except JidoError as error:
        click.echo(f"{name}: {in_a_shell(str(error))}", err=True)
        return code_of(error)
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo(f"{name}: interrupted; what was done before stays done.", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return USAGE
    except BrokenPipeError:  # 'jido list | head': whoever read has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit:  # click's way to say the same, or the end of a shell completion
        return 0
    except OSError as error:
        click.echo(f"{name}: {error.filename or 'the output'}: {error.strerror or error}.", err=True)
        return UNUSABLE


if __name__ == "__main__":
    main()
