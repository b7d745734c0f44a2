"""What each figure has to reach: one table, from the issues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on a figure."""

    bound: float
    of: Literal["value", "ratio"] = "value"
    is_least: bool = False  # the figure must be at least that, not at most

    def holds(self, value: float, ratio: float | None) -> bool:
        figure = value if self.of == "value" else ratio
        if figure is None:
            return False
        return figure >= self.bound if self.is_least else figure <= self.bound

    def told(self, unit: str) -> str:
        word = "at least" if self.is_least else "at most"
        return f"{word} {self.bound:g}{f' {unit}' if self.of == 'value' else ' x floor'}".rstrip()


TARGETS: Final[dict[str, Target]] = {
    "append": Target(1.6, "ratio"),
    "append growth": Target(1.4),
    "append bytes": Target(1.2 * 4096 + 4096),
    "load compacted": Target(1.2, "ratio"),
    "load per turn": Target(1.6, "ratio"),
    "create": Target(1.25, "ratio"),
    "import": Target(1.25, "ratio"),
    "resume": Target(10.0),
    "page 10000": Target(2.0),
    "page 100000": Target(5.0),
    "look 10000": Target(60.0),
    "look 100000": Target(700.0),
    "room": Target(50.0),
    "search": Target(1.0),
    "admitted": Target(15.0),
    "refused": Target(10.0),
    "limit growth": Target(1.5),
    "calls": Target(100_000.0, is_least=True),
    "fairness": Target(0.5, is_least=True),
    "wrongly let in": Target(0.0),
    "bytes a key": Target(150.0),
    "memory list": Target(50.0),
    "memory load": Target(8.0),
    "saved": Target(5.0),
    "streaming": Target(5.0),
    "list magic": Target(30.0),
    "rest page": Target(2.0, "ratio"),
    "rest resume": Target(1.5, "ratio"),
}
