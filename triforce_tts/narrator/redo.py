"""Lines that a user wants spoken again. They are stored by their text, so that they survive an edit of the book.

Of lines with equal text the one is meant that stands between the same lines as when it was asked for.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from triforce_tts.errors import TextError
from triforce_tts.files import write_json
from triforce_tts.narrator.plan import Plan, Replacement, Speaker, one_line
from triforce_tts.schema import Record, read_record
from triforce_tts.text.pauses import split_pauses
from triforce_tts.text.signs import unspoken

REDO = "redo.json"  # the file in the folder of a narration
_NUMBERS = re.compile(r"\s*[0-9]{1,9}\s*(?:,\s*[0-9]{1,9}\s*)*")


class Entry(Record):
    """One line that is spoken again: its text, its number among the lines with this text, and the new take and text."""

    text: str  # the book's text, normalised
    # Which line with this text is meant, counted from 1.
    occurrence: int
    take: int
    said: str | None  # the text that is spoken instead; None: the book's text
    # The texts of the lines around it.
    before: str = ""
    after: str = ""
    # Which line it was when it was asked for, if it is another one now: the seed comes from it, so the sound stays.
    drawn: int = 0


class _File(Record):
    lines: tuple[Entry, ...]


@dataclass
class Redo:
    """All lines of a narration that are spoken again."""

    entries: dict[tuple[str, int], Entry] = field(default_factory=dict)
    is_changed: bool = False  # whether the file has to be written

    @classmethod
    def read(cls, folder: Path) -> "Redo":
        """The content of ``redo.json`` in ``folder``; empty if there is no such file.

        Raises:
            TriforceError: the file is damaged.
        """
        if not (folder / REDO).exists():
            return cls()
        return cls({(e.text, e.occurrence): e for e in read_record(folder / REDO, _File).lines})

    def write(self, folder: Path) -> None:
        """Write ``redo.json`` into ``folder``."""
        content = _File(lines=tuple(self.entries[key] for key in sorted(self.entries)))
        write_json(folder / REDO, content.model_dump(mode="json"))

    def replacement(self, text: str, occurrence: int) -> Replacement | None:
        """The take and text for the ``occurrence``-th line with this text; None if the user asked for nothing."""
        entry = self.entries.get((text, occurrence))
        return Replacement(entry.take, entry.said, entry.drawn) if entry else None

    def follow(self, originals: Sequence[str]) -> bool:
        """Let each wish go on with its line, where the edited book has other lines with the same text before it.

        A wish moves to the line whose neighbours are most like those that it was asked for with. It stays where that is
        not certain: several other lines are as like, or two wishes would meet.

        Args:
            originals: the book's own text of each line of the whole book, in order.

        Returns:
            Whether a wish has moved.
        """
        places: dict[str, list[int]] = {text: [] for text, _ in self.entries}
        for place, text in enumerate(originals):
            if text in places:
                places[text].append(place)
        targets = {key: _occurrence(entry, originals, places[key[0]]) for key, entry in self.entries.items()}
        wanted = Counter((text, occurrence) for (text, _), occurrence in targets.items())
        entries: dict[tuple[str, int], Entry] = {}
        has_moved = False
        for (text, old), entry in self.entries.items():
            is_clear = all(wanted[other, number] == 1 for (other, _), number in targets.items() if other == text)
            new = targets[text, old] if is_clear else old
            update: dict[str, object] = {}
            if new != old:
                update, has_moved = {"occurrence": new, "drawn": entry.drawn or old}, True
            if new <= len(places[text]):
                before, after = _around(originals, places[text][new - 1])
                is_new = not (entry.before or entry.after)
                # Among equal lines, one without a known neighbour may be another, so the entry keeps what it knows.
                if is_new or len(places[text]) == 1 or entry.before == before or entry.after == after:
                    update |= {"before": before, "after": after}
            entries[text, new] = entry.model_copy(update=update)
        self.is_changed |= entries != self.entries
        self.entries = entries
        return has_moved

    def add(self, plan: Plan, requests: Sequence[str], originals: Sequence[str], speaker: Speaker) -> None:
        """Add the lines that ``--redo`` names: '17,42' and '42=new text'.

        Args:
            plan: the plan whose lines have these numbers.
            requests: the values of the option.
            originals: the book's own text of each line of the whole book, in order.
            speaker: the speaker that checks a new text.

        Raises:
            TextError: a value is no such list, a number is no line of the chosen chapters, or a text cannot be one line.
        """
        spoken = {line.number for line in plan.lines}
        for number, new_text in _asked(requests):
            if number not in spoken:
                raise TextError(f"--redo {number}: {_no_such_line(number, plan, len(originals))}")
            if new_text is not None:
                _check_text(number, new_text, speaker)
            text = originals[number - 1]
            occurrence = Counter(originals[:number])[text]
            before = self.entries.get((text, occurrence))
            take = before.take + 1 if before else 1
            spoken_text = new_text if new_text is not None else before.said if before else None
            around, drawn = _around(originals, number - 1), before.drawn if before else 0
            self.entries[text, occurrence] = Entry(
                text=text, occurrence=occurrence, take=take, said=spoken_text, before=around[0], after=around[1], drawn=drawn
            )  # fmt: skip
            self.is_changed = True


def _around(originals: Sequence[str], place: int) -> tuple[str, str]:
    """The texts of the lines before and behind a line; empty at the ends of the book."""
    before = originals[place - 1] if place else ""
    return before, originals[place + 1] if place + 1 < len(originals) else ""


def _occurrence(entry: Entry, originals: Sequence[str], places: Sequence[int]) -> int:
    """Which of the lines at ``places``, counted from 1, an entry means."""
    if not (entry.before or entry.after):  # an entry of an earlier version, which does not know its neighbours
        return entry.occurrence
    around = [_around(originals, place) for place in places]
    likeness = [(before == entry.before) + (after == entry.after) for before, after in around]
    now = likeness[entry.occurrence - 1] if entry.occurrence <= len(places) else 0
    best = max(likeness, default=0)
    return likeness.index(best) + 1 if best > now and likeness.count(best) == 1 else entry.occurrence


def check_requests(requests: Sequence[str]) -> None:
    """Refuse values of ``--redo`` that name no lines, before any work.

    Raises:
        TextError: a value is no list of numbers, or its new text is empty.
    """
    _asked(requests)


def _asked(requests: Sequence[str]) -> list[tuple[int, str | None]]:
    """Each number with the new text that it got; a text belongs to the last number before it."""
    asked: list[tuple[int, str | None]] = []
    for value in requests:
        numbers, equals, text = value.partition("=")
        if not _NUMBERS.fullmatch(numbers):
            raise TextError(
                f"--redo '{value[:60]}': expected numbers of lines, such as '17,42' or '42=What it should say.'"
            )
        if equals and not text.strip():
            raise TextError(f"--redo '{value[:60]}': the new text is empty; give at least one word")
        values = [int(number) for number in numbers.split(",")]
        asked += [(number, None) for number in values[:-1]]
        asked.append((values[-1], text.strip() if equals else None))
    return asked


def _check_text(number: int, text: str, speaker: Speaker) -> None:
    """Refuse a new text that cannot be one line, that asks for a pause, or of which a part would be silent."""
    try:
        if split_pauses(text) != (0.0, [(text, None)]):
            raise TextError(
                f"the new text '{text[:60]}' asks for a pause, which a line cannot have; leave the mark out"
            )
        one_line(text, speaker)
        if lost := "".join(unspoken(text)):
            raise TextError(
                f"the new text '{text[:60]}' has signs without an English reading ({lost[:20]}); leave them out"
            )
    except TextError as error:
        raise TextError(f"--redo {number}: {error}") from error


def _no_such_line(number: int, plan: Plan, count: int) -> str:
    if 1 <= number <= count:
        return "this line is in a chapter that is not chosen; leave --chapters out, or choose its chapter"
    return f"the book has no such line, expected 1 to {count}; plan.json and report.html show the lines"
