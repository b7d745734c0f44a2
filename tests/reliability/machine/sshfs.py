"""sshfs: two clients of one sftp server, each over a pipe instead of a network.

sshfs has no locks: each client is granted all of its own, leases too, and it caches lists for 20 s. So two clients that write
at once are more than a store can keep apart. What holds all the same: clients that take turns are safe and read what
is there; nothing written is ever overwritten; and of appends made at the same moment each one is read or told as damage.

The broken twin writes at the end that it saw instead of appending.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tests.reliability.machine.clients import Client, errors_in, judge, move_away, read_fresh, start_together
from tests.reliability.report import Probe, Scale, Tally, judged, not_run

NAME: Final = "sshfs with two clients"
ROW: Final = "R9"
SERVERS: Final = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server")
OPTIONS: Final = {"as it comes": [], "without its cache": ["-o", "dir_cache=no"]}


def run(scale: Scale, seed: int) -> Probe:
    if reason := _why_not():
        return not_run(NAME, seed, reason)
    real, twin = Tally(), Tally()
    count = scale.pick(20, 250)
    for label, options in OPTIONS.items():
        with _two_clients(*options) as (one, two, folder):
            cases = {
                "both start at once": start_together,
                "fresh reads": read_fresh,
                "moved by the other": move_away,
                "appends of both": _append_together(folder, count),
            }
            judge(real, f"sshfs {label}", cases, one, two)
            real.count("leases granted to both", one.do("lease", "shared") is two.do("lease", "shared") is None)
    with _two_clients(twin="positioned") as (one, two, folder):
        judge(twin, "twin", {"appends of both": _append_together(folder, max(50, count))}, one, two)
    return judged(NAME, seed, real, {"writes where it saw the end": twin})


def _append_together(folder: str, count: int) -> Callable[[Client, Client, Tally], list[str]]:
    def case(one: Client, two: Client, tally: Tally) -> list[str]:
        one.do("create", "shared")
        one.start("append_many", "shared", "one", count)
        two.start("append_many", "shared", "two", count)
        answers = [one.result(), two.result()]
        if problems := errors_in(*answers):
            return problems
        said = {text for answer in answers for text in answer[0]}
        found = one.do("texts", "shared")
        if not isinstance(found, list):
            return [f"cannot be read: {found}"]
        with open(f"{folder}/home/sessions/shared.jsonl", encoding="utf-8") as file:
            log = file.read()
        overwritten = [text for text in said if f'"{text}"' not in log]
        passed_over, told = said - set(found), sum(text.startswith("damaged") for text in found)
        tally.count("acknowledged appends of both at once", len(said))
        tally.count("of them not read, and told as damage", len(passed_over))
        problems = [f"{len(overwritten)} of {len(said)} acknowledged appends overwritten"] if overwritten else []
        if len(passed_over) > told:
            problems.append(f"{len(passed_over)} acknowledged appends are not read, {told} told as damage")
        return problems

    return case


@contextlib.contextmanager
def _two_clients(*options: str, twin: str = "") -> Iterator[tuple[Client, Client, str]]:
    with tempfile.TemporaryDirectory(prefix="jido-sshfs-") as folder, contextlib.ExitStack() as stack:
        shared = f"{folder}/shared"
        os.mkdir(shared)
        clients = []
        for name in ("one", "two"):
            path = stack.enter_context(_mounted(shared, f"{folder}/{name}", *options))
            clients.append(Client(name, path, twin=twin))
            stack.callback(clients[-1].end)
        yield clients[0], clients[1], shared


@contextlib.contextmanager
def _mounted(shared: str, path: str, *options: str) -> Iterator[str]:
    os.mkdir(path)
    ours, theirs = socket.socketpair()
    server = subprocess.Popen([_server()], stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL)
    client = subprocess.Popen(
        ["sshfs", f"nowhere:{shared}", path, "-f", "-o", "passive", *options],
        stdin=ours,
        stdout=ours,
        stderr=subprocess.DEVNULL,
    )
    ours.close()
    theirs.close()
    try:
        deadline = time.monotonic() + 10
        while not os.path.ismount(path):
            if time.monotonic() > deadline or client.poll() is not None:
                raise RuntimeError("sshfs does not mount")
            time.sleep(0.02)
        yield path
    finally:
        subprocess.run(["fusermount3", "-u", "-z", path], capture_output=True)
        for process in (client, server):
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _server() -> str:
    return next(path for path in SERVERS if Path(path).exists())


def _why_not() -> str | None:
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "no /dev/fuse"
    for tool in ("sshfs", "fusermount3"):
        if shutil.which(tool) is None:
            return f"no {tool}"
    return None if any(Path(path).exists() for path in SERVERS) else "no sftp-server"
