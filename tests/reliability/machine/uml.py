"""Python modules run inside a User-Mode Linux guest: a kernel of our own, for what must not be tried on this one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from tests.reliability.report import Probe, Scale, Tally, judged, not_run

HERE: Final = Path(__file__).resolve().parent
MODULES: Final = Path("/usr/lib/uml/modules")
_MARK: Final = "tally "


def why_not(tools: Iterable[str] = ()) -> str | None:
    """Return why this machine cannot run a guest that uses ``tools``; None when it can."""
    if os.geteuid() != 0:
        return "not root"
    if shutil.which("linux.uml") is None or not list(MODULES.glob("*")):
        return "no User-Mode Linux"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [tool for tool in tools if shutil.which(tool, path=path) is None]
    return f"no {', '.join(missing)}" if missing else None


def probe(
    module: str,
    name: str,
    tools: Iterable[str],
    modules: Sequence[str],
    scale: Scale,
    seed: int,
    timeout_s: float = 400,
) -> Probe:
    """Return what a module finds that runs whole in one guest: its tally "store", and one for each twin."""
    if scale is Scale.SMOKE:
        return not_run(name, seed, "a guest is started at full scale only")
    if reason := why_not(tools):
        return not_run(name, seed, reason)
    found = tallies(module, "all", modules, timeout_s)
    real = found.pop("store")
    return judged(name, seed, real, found)


def tallies(module: str, argument: str, modules: Sequence[str], timeout_s: float) -> dict[str, Tally]:
    """Run ``python -m module argument`` in a guest and return what it gave to `tell`, by name.

    Raises:
        RuntimeError: the guest did not come to its end; with what it printed last.
    """
    with tempfile.TemporaryDirectory(prefix="jido-guest-") as folder:
        words = {
            "PYTHON": sys.executable,
            "PYTHONPATH": str(HERE.parents[2]),
            "RUN": module,
            "ARGUMENT": argument,
            "MODULES": ",".join(modules),
            "KERNEL_FILES": str(next(MODULES.glob("*"))),
        }
        guest = subprocess.Popen(
            [
                "linux.uml",
                "mem=768M",
                "root=/dev/root",
                "rootfstype=hostfs",
                "rootflags=/",
                "rw",
                f"init={HERE / 'guest'}",
            ]
            + ["con=null", "con0=null,fd:1", "quiet", f"umid=jido{os.getpid()}", f"uml_dir={folder}/"]
            + [f"{name}={value}" for name, value in words.items()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=os.environ | {"TMPDIR": folder} | _preload(folder),
            start_new_session=True,
        )
        try:
            said, _ = guest.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(guest.pid, signal.SIGKILL)
            said, _ = guest.communicate()
        finally:
            if guest.poll() is None:
                os.killpg(guest.pid, signal.SIGKILL)
                guest.wait()
    if "guest: ended with 0" not in said:
        raise RuntimeError(f"the guest did not come to its end:\n{said[-3000:]}")
    found = [json.loads(line.partition(_MARK)[2]) for line in said.splitlines() if line.startswith(_MARK)]
    return {name: Tally(**fields) for name, fields in found}


def _preload(folder: str) -> dict[str, str]:
    """Return the environment without which the guest dies on processors with AMX, where it can be made."""
    library = os.path.join(folder, "xstate.so")
    if (compiler := shutil.which("cc")) is None:
        return {}
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", library, str(HERE / "xstate.c"), "-ldl"]
    return {"LD_PRELOAD": library} if subprocess.run(command, capture_output=True).returncode == 0 else {}


def tell(name: str, tally: Tally) -> None:
    """In the guest: hand a tally out."""
    fields: dict[str, Any] = {
        "tried": tally.tried,
        "violations": tally.violations,
        "told": tally.told,
        "counts": tally.counts,
    }
    print(_MARK + json.dumps([name, fields]), flush=True)
