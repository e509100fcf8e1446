"""docs/coming-from.md: every expression of the last column of its tables gives what the page's names make of it."""

import contextlib
import re
from pathlib import Path

from documents import FENCE, Session, blocks_of

PAGE = Path(__file__).parents[2] / "docs" / "coming-from.md"
HERE = "here"
CODE = re.compile(r"`([^`]+)`")
FEWEST = 150  # expressions of the page when this was written


def tables(text: str) -> list[tuple[int, list[list[str]]]]:
    """Where each table begins, and its rows of cells, headings included."""
    found = []
    for table in re.finditer(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[0].splitlines()]
        found.append((table.start(), rows))
    return found


def test_every_row_has_every_column_and_ends_here():
    text = PAGE.read_text(encoding="utf-8")
    shown = tables(text)
    assert len(shown) == 5 and all(rows[0][-1] == HERE for _, rows in shown)
    for _, rows in shown:
        for row in rows[2:]:
            assert len(row) == len(rows[0]), row
            assert all(CODE.search(cell) or cell == "-" or not cell.startswith("`") for cell in row), row
            assert CODE.search(row[-1]), row


def test_every_expression_of_ours_is_evaluated(tmp_path):
    text = PAGE.read_text(encoding="utf-8")
    session = Session(PAGE, tmp_path)
    blocks = {block.line: block for block in blocks_of(PAGE)}
    steps = [(m.start(), blocks[text.count("\n", 0, m.start(2)) + 1]) for m in FENCE.finditer(text)]
    steps += [(place, rows) for place, rows in tables(text)]
    evaluated, failed = 0, []
    for _, step in sorted(steps, key=lambda pair: pair[0]):
        if not isinstance(step, list):
            session.take(step)
            continue
        with contextlib.chdir(tmp_path):
            for row in step[2:]:
                for code in CODE.findall(row[-1]):
                    try:
                        eval(code, session.names)
                    except Exception as error:
                        failed.append(f"{row[0]}: {code}: {error!r}")
                    evaluated += 1
    assert failed == []
    assert evaluated >= FEWEST and (tmp_path / "trains.npz").exists()
