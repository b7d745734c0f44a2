"""How much is measured: everything, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

KB: Final = 1024
MB: Final = 1024 * KB


@dataclass(frozen=True, slots=True)
class Scale:
    folder: str = ""  # on the disk that is measured
    rounds: int = 60
    slow_rounds: int = 15  # of what takes tens of milliseconds
    sizes: tuple[int, ...] = (10 * KB, 100 * KB, MB, 10 * MB)  # bytes of a session
    resumed: int = 1000  # messages
    corpora: tuple[int, ...] = (10_000, 100_000)  # sessions
    listed_by_peers: int = 1000  # sessions
    peer_rounds: int = 15
    writers: int = 4  # processes that add to one session, each
    turns: int = 25  # turns
    calls: int = 2000  # of the limiter, per sample
    processes: int = 8
    processes_s: float = 2.0
    trials: int = 20  # of exactness
    keys: tuple[int, ...] = (10_000, 100_000)

    def at(self, folder: str) -> Scale:
        return replace(self, folder=folder)


FULL: Final = Scale()
QUICK: Final = Scale(
    rounds=3,
    slow_rounds=3,
    sizes=(10 * KB, 100 * KB),
    resumed=100,
    corpora=(200,),
    listed_by_peers=20,
    peer_rounds=3,
    writers=2,
    turns=5,
    calls=100,
    processes=2,
    processes_s=0.2,
    trials=2,
    keys=(500,),
)


def told(size: int) -> str:
    """Return a number of bytes for a reader."""
    return f"{size // MB} MB" if size >= MB else f"{size // KB} KB"
