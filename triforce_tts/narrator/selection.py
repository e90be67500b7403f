"""The chapters of a book that a user chooses, as a list such as '3-7,9' and as numbers."""

from collections.abc import Iterator, Sequence

from triforce_tts.errors import TextError


def choose_chapters(selection: str | None, count: int) -> list[int]:
    """The numbers of the chapters that ``selection`` names, such as '3-7,9,12-'; all chapters if it is None.

    Raises:
        TextError: ``selection`` is no such list, or names a chapter that the book does not have.
    """
    if selection is None:
        return list(range(1, count + 1))
    numbers: set[int] = set()
    for part in selection.split(","):
        numbers |= set(_range(part.strip(), count, selection))
    return sorted(numbers)


def _range(part: str, count: int, selection: str) -> Iterator[int]:
    first, dash, last = part.partition("-")
    first, last = first.strip(), last.strip()
    is_number = first.isdecimal() and (not dash or last.isdecimal() or not last) and len(first + last) < 12
    begin = int(first) if is_number else 0
    end = begin if not dash else count if not last else int(last) if is_number else 0
    if not 1 <= begin <= end <= count:
        raise TextError(
            f"--chapters {selection[:60]!r}: expected numbers and ranges such as '3-7,9', from 1 to {count}; '--list' shows the chapters"
        )
    yield from range(begin, end + 1)


def listed_chapters(numbers: Sequence[int]) -> str:
    """Rising numbers as a list such as '3-7,9'."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    return ",".join("-".join(map(str, run)) for run in runs)
