"""What a reproduction came to: an item, and all of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from solvers.cards import Card, Fact
from ttsuite.reproductions.collection import Collection, Task
from ttsuite.reproductions.verdicts import DIFFERS, NOT_RUN, Compared
from ttsuite.runs.layout import FAILED


@dataclass(frozen=True)
class ItemOutcome:
    """What is known of an item: its run (folder named from that of the reproduction, empty for none), and its values.

    ``status``: of its run, empty where it has none; ``why``: it has none, or failed.
    """

    task: Task
    folder: str
    status: str
    seconds: float | None
    values: tuple[Compared, ...]
    verdict: str
    why: str


@dataclass(frozen=True)
class Reproduction(Card):
    """A reproduction that ended: its folder, its items in the order of the file, whether it was interrupted."""

    collection: Collection
    folder: Path
    items: tuple[ItemOutcome, ...]
    interrupted: bool

    @property
    def summary(self) -> str:
        """How many items came to which verdict, in one line."""
        counts = Counter(item.verdict for item in self.items)
        parts = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
        return f"{len(self.items)} items: {parts}" + ("; interrupted" if self.interrupted else "")

    @property
    def differing(self) -> tuple[ItemOutcome, ...]:
        """The items with a value that differs by more than its tolerance."""
        return tuple(item for item in self.items if item.verdict == DIFFERS)

    @property
    def failed(self) -> tuple[ItemOutcome, ...]:
        """The items whose run failed, or whose report does not have a number that was to be taken."""
        return tuple(
            item
            for item in self.items
            if item.status == FAILED
            or (item.seconds is not None and any(value.verdict == NOT_RUN for value in item.values))
        )

    def worded(self) -> list[Fact]:
        """How many items came to which verdict, and those that differ."""
        told: list[Fact] = [
            ("collection", self.collection.title),
            ("folder", str(self.folder)),
            ("items", self.summary),
        ]
        if self.differing:
            told.append(("differing", ", ".join(item.task.keys.name for item in self.differing)))
        return told
