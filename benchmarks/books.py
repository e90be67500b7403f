"""What the readers of books find, beside right answers: ``python -m benchmarks.books FOLDER``.

FOLDER holds books and ``answers.json``: for each book its chapters with title, first and last seven words and number of words. A book
may have ``NAME.expected.txt``, which holds what is spoken line by line, and words that are never spoken. The result is a table in
Markdown; no model is needed.
"""

import argparse
import json
import time
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from typing import Any

from triforce_tts.books.chapters import WORD, Chapter
from triforce_tts.books.read import read_chapters

_SHOWN_WORDS = 7  # so many words at the beginning and at the end of a chapter are shown
_TOLERANCE = 0.01  # a chapter counts as right if its number of words is off by no more than this share
# Missing and added words in per cent. The tools used their own readers with their default choice of chapters (November
# 2026).
OTHERS = {
    "tts-audiobook-tool": ("2 / 23", "0", "3.5"),
    "abogen": ("6 / 33", "0", "0"),
    "ebook2audiobook": ("7 / 13", "55 added", "4.7 (front matter)"),
    "epub2tts": ("9 / 17", "1.5", "0.2"),
    "epub_to_audiobook": ("6 / 32", "0", "0"),
    "audiblez": ("50 / 6", "97", "4.3 (front matter)"),
}


@dataclass(frozen=True)
class Figures:
    """The figures of a book; each pair is a number of right items and the number of all items."""

    name: str
    titles: tuple[int, int]
    firsts: tuple[int, int]
    lasts: tuple[int, int]
    counts: tuple[int, int]  # chapters whose number of words is within the tolerance
    words: tuple[int, int]
    forbidden: int  # words that are spoken although the answers list them as never spoken
    seconds: float

    @property
    def row(self) -> str:
        """A row of the table."""
        pairs = [f"{count} of {total}" for count, total in (self.titles, self.firsts, self.lasts, self.counts)]
        return f"| `{self.name}` | {' | '.join(pairs)} | {self.words[0]} of {self.words[1]} | {self.forbidden} | {self.seconds:.1f} |"

    @property
    def missing(self) -> str:
        """The share of the words that are missing, in per cent."""
        return f"{100 * max(0, self.words[1] - self.words[0]) / self.words[1]:.3g}"


def words_of(chapter: Chapter) -> list[str]:
    """The words of a chapter that are spoken, in order."""
    return [match[0] for block in chapter.blocks for match in WORD.finditer(block.spoken)]


def compare(path: Path, answer: dict[str, Any]) -> Figures:
    """The figures of a book; front matter that the answers leave out is left out."""
    began = time.perf_counter()
    book = read_chapters(path)
    seconds = time.perf_counter() - began
    answers = answer["chapters"]
    has_front = any(chapter.get("front") for chapter in answers)
    chapters = [chapter for chapter in book.chapters if has_front or not chapter.front]
    right = {"title": 0, "first": 0, "last": 0, "words": 0}
    for chapter, expected in zip_longest(chapters, answers):
        if chapter is None or expected is None:
            continue
        words = words_of(chapter)
        right["title"] += chapter.title == expected["title"]
        right["first"] += " ".join(words[:_SHOWN_WORDS]) == expected["first"]
        right["last"] += " ".join(words[-_SHOWN_WORDS:]) == expected["last"]
        right["words"] += abs(len(words) - expected["words"]) <= _TOLERANCE * expected["words"]
    most = max(len(chapters), len(answers))
    titles, firsts, lasts, counts = ((right[name], most) for name in right)
    spoken = [word for chapter in chapters for word in words_of(chapter)]
    forbidden = sum(word in answer.get("never", ()) for word in spoken)
    return Figures(path.name, titles, firsts, lasts, counts, (len(spoken), answer["words"]), forbidden, seconds)


@dataclass(frozen=True)
class LineByLine:
    """The number of lines that are spoken whole and in order, the number of all lines, and missing and added words."""

    right: int
    lines: int
    words: int
    missing: int
    added: int


def line_by_line(path: Path, expected: Path) -> LineByLine:
    """The comparison of the spoken text of a book with the expected lines."""
    lines = [
        line.strip().removeprefix("(heading: ").rstrip(")")
        for line in expected.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("##")
    ]
    word_lists = [[match[0] for match in WORD.finditer(line.partition("once each: ")[2] or line)] for line in lines]
    flat = [word for line in word_lists for word in line]
    spoken = [word for chapter in read_chapters(path).chapters if not chapter.front for word in words_of(chapter)]
    right = missing = added = at = 0
    matched = [False] * len(flat)
    for kind, i, j, k, m in SequenceMatcher(None, flat, spoken, autojunk=False).get_opcodes():
        if kind == "equal":
            matched[i:j] = [True] * (j - i)
        else:
            missing, added = missing + j - i, added + m - k
    for line in word_lists:
        right += all(matched[at : at + len(line)])
        at += len(line)
    return LineByLine(right, len(word_lists), len(flat), missing, added)


def print_table(folder: Path) -> None:
    """Print the figures of all books, and those of other tools beside ours."""
    answers = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    print("| book | titles | first words | last words | counts within 1 % | words | forbidden words | s |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    missing: dict[str, str] = {}
    described: list[str] = []
    for name, answer in answers.items():
        if "chapters" in answer:
            figures = compare(folder / name, answer)
            missing[Path(name).stem] = figures.missing
            print(figures.row)
        else:
            words = [word for chapter in read_chapters(folder / name).chapters for word in words_of(chapter)]
            described.append(f"`{name}`: expected {answer['expect']}; found {' '.join(words)}")
    for path in sorted(folder.glob("*.expected.txt")):
        stem = path.name.removesuffix(".expected.txt")
        one = line_by_line(path.with_name(f"{stem}.epub"), path)
        missing[stem] = f"{100 * one.missing / one.words:.3g} / {100 * one.added / one.words:.3g}"
        described.append(f"`{stem}.epub`: {one.right} of {one.lines} lines as expected")
    print("", *described, sep="\n")
    print("\n| reader | lantern, % missing / added | earnest, % missing | flatland, % missing |\n|---|--:|--:|--:|")
    ours = [missing.get(name, "") for name in ("lantern", "earnest", "flatland")]
    for tool, shares in {"triforce-tts": ours, **OTHERS}.items():
        print(f"| {tool} | {' | '.join(shares)} |")


def main() -> None:
    """Print the tables of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    print_table(parser.parse_args().folder)


if __name__ == "__main__":
    main()
