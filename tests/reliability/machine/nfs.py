"""Kernel NFS, versions 3 and 4.2: one server, and two clients that it takes for two machines.

In a guest each client has its own network and its own host name; two mounts of one host would be one client to the server
and mislead. The clients are processes that do what they are told, line by line.

The broken twin does not lock: O_APPEND alone is no append on NFS.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Final

from tests.reliability.machine import uml
from tests.reliability.machine.clients import (
    Client,
    append_together,
    errors_in,
    judge,
    lease,
    list_fresh,
    move_away,
    read_fresh,
    start_together,
)
from tests.reliability.report import Probe, Scale, Tally, judged, not_run

NAME: Final = "NFS with two clients"
ROW: Final = "R9"
MODULES: Final = ("loop", "nfsd", "nfs", "nfsv3", "nfsv4", "veth")
TOOLS: Final = ("rpcbind", "rpc.statd", "rpc.mountd", "rpc.nfsd", "exportfs", "mount.nfs", "ip", "nsenter", "mkfs.ext4")
APPENDS: Final = 250  # of each client
EXPORT: Final = "/run/export"
SETTINGS: Final = {
    "/proc/fs/nfsd/nfsv4leasetime": 10,  # s; 90 otherwise, and as long again after each start
    "/proc/fs/nfsd/nfsv4gracetime": 10,
    "/proc/sys/fs/nfs/nlm_timeout": 3,  # s; the same for version 3
    "/proc/sys/fs/nfs/nlm_grace_period": 3,
    "/proc/sys/fs/nfs/nlm_udpport": 4045,  # one for all: the clients' lock daemons register with the server's rpcbind
    "/proc/sys/fs/nfs/nlm_tcpport": 4045,
}


def run(scale: Scale, seed: int) -> Probe:
    if scale is Scale.SMOKE:
        return not_run(NAME, seed, "a guest is started at full scale only")
    if reason := uml.why_not(TOOLS):
        return not_run(NAME, seed, reason)
    real, twins = Tally(), {}
    for version in ("3", "4.2"):
        found = uml.tallies(__name__, version, MODULES, timeout_s=600)
        real.add(found.pop("store"))
        twins |= found
    return judged(NAME, seed, real, twins)


def in_guest(version: str) -> None:
    real = Tally()
    _set_up(version)
    one, two = _client(1), _client(2)
    judge(real, f"NFS {version}", CASES, one, two)
    one.end()
    two.end()
    uml.tell("store", real)
    twin = Tally()
    careless = _client(1, twin="unlocked"), _client(2, twin="unlocked")
    for attempt in range(5):
        if not twin.violations:
            judge(twin, "twin", {"appends": append_together(f"careless{attempt}", APPENDS // 2)}, *careless)
    for client in careless:
        client.end()
    uml.tell(f"without locks, NFS {version}", twin)


def _client(number: int, *, twin: str = "") -> Client:
    return Client(("one", "two")[number - 1], f"/run/client{number}", _on(number), twin=twin)


def _on(number: int) -> list[str]:
    """Return the command that runs another one on a client's network, under its host name."""
    return ["nsenter", f"--net=/run/netns/c{number}", f"--uts=/run/uts{number}"]


def _restart(one: Client, two: Client, tally: Tally) -> list[str]:
    """The server goes and comes back; mounts are soft here, so that calls come back at all."""
    problems = errors_in(one.do("create", "kept"), one.do("append", "kept", "before"), one.do("lease", "kept"))
    _run("rpc.nfsd", "0")
    started = time.monotonic()
    answer = one.do("append", "kept", "while it was gone")
    tally.count(f"server gone: {answer['error'] if isinstance(answer, dict) else 'acknowledged'}")
    if not isinstance(answer, dict) or "none of ours" in answer["error"]:
        problems.append(f"append without a server: {answer}")
    if time.monotonic() - started > 30:
        problems.append(f"append without a server took {time.monotonic() - started:.0f} s")
    _serve_nfs()
    started, deadline = time.monotonic(), time.monotonic() + 240  # a grace period follows
    while isinstance(answer := one.do("append", "kept", "after"), dict) and time.monotonic() < deadline:
        tally.count(f"server back: {answer['error']}")
        time.sleep(0.5)
    tally.count("seconds from the server's return to the next append", round(time.monotonic() - started))
    problems += errors_in(answer, two.do("append", "kept", "of the other"))
    found = two.do("texts", "kept")
    if [text for text in found if text != "while it was gone"] != ["before", "after", "of the other"]:
        problems.append(f"after the restart: {found}")
    after = two.do("lease", "kept")
    tally.count(f"lease after a restart: {after['error'] if after else 'granted to the other client'}")
    return problems


CASES: Final = {
    "both start at once": start_together,
    "fresh reads": read_fresh,
    "fresh lists": list_fresh,
    "appends of both": append_together("shared", APPENDS),
    "moved by the other": move_away,
    "leases": lease,
    "server restart": _restart,
}


def _set_up(version: str) -> None:
    for path in ("/run/rpcbind", "/run/rpc_pipefs", "/run/netns", "/run/sendsigs.omit.d", EXPORT):
        os.makedirs(path, exist_ok=True)
    _run("mount", "-t", "tmpfs", "tmpfs", "/var/lib/nfs")  # or the daemons would write to the machine itself
    for name in ("sm", "sm.bak", "rpc_pipefs", "v4recovery"):
        os.mkdir(f"/var/lib/nfs/{name}")
    for name in ("etab", "rmtab", "state"):
        open(f"/var/lib/nfs/{name}", "w").close()
    _run("ip", "link", "set", "lo", "up")
    _run("mount", "-t", "nfsd", "nfsd", "/proc/fs/nfsd")
    _run("mount", "-t", "rpc_pipefs", "rpc", "/var/lib/nfs/rpc_pipefs")
    _run("truncate", "-s", "64M", "/run/image")
    _run("mkfs.ext4", "-q", "-F", "/run/image")
    _run("mount", "-o", "loop", "/run/image", EXPORT)
    for name, value in SETTINGS.items():
        with open(name, "w") as file:
            file.write(str(value))
    subprocess.Popen(["rpcbind", "-f"])
    time.sleep(0.5)
    subprocess.Popen(["rpc.statd", "--no-notify", "-F"], stderr=subprocess.DEVNULL)
    for number in (1, 2):
        _run("ip", "netns", "add", f"c{number}")
        inside = ["ip", "netns", "exec", f"c{number}", "ip"]
        _run("ip", "link", "add", f"v{number}", "type", "veth", "peer", "name", f"e{number}")
        _run("ip", "link", "set", f"e{number}", "netns", f"c{number}")
        _run("ip", "addr", "add", f"10.9.{number}.1/24", "dev", f"v{number}")
        _run("ip", "link", "set", f"v{number}", "up")
        _run(*inside, "link", "set", "lo", "up")
        _run(*inside, "addr", "add", f"10.9.{number}.2/24", "dev", f"e{number}")
        _run(*inside, "link", "set", f"e{number}", "up")
        open(f"/run/uts{number}", "w").close()
        _run("unshare", f"--uts=/run/uts{number}", "hostname", f"client{number}")
    _run("exportfs", "-o", "rw,sync,no_root_squash,no_subtree_check,fsid=0,insecure", f"10.9.0.0/16:{EXPORT}")
    subprocess.Popen(["rpc.mountd", "-F"], stderr=subprocess.DEVNULL)
    _serve_nfs()
    time.sleep(2.5)
    for number in (1, 2):
        os.mkdir(f"/run/client{number}")
        source = f"10.9.{number}.1:{EXPORT if version == '3' else '/'}"
        if version == "3":
            _watch_locks(number)
        mount = ["mount", "-t", "nfs", "-o", f"vers={version},soft,timeo=10,retrans=2", source, f"/run/client{number}"]
        _run(*_on(number), *mount)


def _watch_locks(number: int) -> None:
    """Start what a client of version 3 needs to lock: its own rpcbind and statd, with files of their own."""
    script = (
        f"mkdir /run/own{number} && mount --bind /run/own{number} /run && mkdir /run/rpcbind && "
        "mount -t tmpfs tmpfs /var/lib/nfs && mkdir /var/lib/nfs/sm /var/lib/nfs/sm.bak && "
        "rpcbind -f & sleep 0.5; exec rpc.statd --no-notify -F"
    )
    subprocess.Popen([*_on(number), "unshare", "--mount", "sh", "-c", script])
    time.sleep(1)


def _serve_nfs() -> None:
    _run("rpc.nfsd", "4")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")


if __name__ == "__main__":
    in_guest(sys.argv[1])
