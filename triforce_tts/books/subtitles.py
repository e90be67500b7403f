"""The words that subtitles show, without their times, marks of style, names of speakers, and notes about sounds."""

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

SUFFIXES = (".srt", ".vtt")
_TIMES = re.compile(r"\d+:\d\d(:\d\d)?[.,]\d{1,3}\s*-->", re.ASCII)
_MARKS = re.compile(r"<[^<>\n]*>|\{\\[^{}\n]*\}")
_SOUNDS = re.compile(r"\[[^\[\]\n]*\]|[♪♫][^♪♫\n]*[♪♫]|[♪♫]|^\([^()\n]*\)$")
_NOTE_OF_LINES = re.compile(r"\[[^\[\]]*\]|\([^()]*\)")
_TURN = re.compile(r"^\s*(?:>>+|[-–—](?!\d))\s*")
# A name before a colon is a speaker's if it is in capitals, or if at least two cues have it.
_NAME = re.compile(r"^([A-Z][\w.'’-]*(?: [A-Z0-9][\w.'’-]*){0,3}):\s+")
# Captions that roll show a line in two cues. Where one cue in so many has an old line and a new one, they roll, and each
# line of so many words is read once; in other subtitles, what stands there twice is said twice.
_CUES_A_ROLL, _REPEATED_WORDS = 10, 3
_WORDS_A_STOP = 60  # people put a stop into so many words of a transcript; captions that a machine wrote have none


def spoken(content: str) -> str:
    """The words of the cues in a SubRip or WebVTT file, a cue a line."""
    cues = [[_plain(line) for line in _with_whole_notes(lines)] for lines in _cues(content)]
    names = Counter(match[1] for cue in cues for line in cue if (match := _NAME.match(line)))
    shown = [
        lines for cue in cues if (lines := [line for line in (_without_name(line, names) for line in cue) if line])
    ]
    new = [lines[_rolled(before, lines) :] for before, lines in pairwise([[], *shown])]
    rolling = sum(0 < len(some) < len(lines) for some, lines in zip(new, shown, strict=True))
    return "\n".join(" ".join(lines) for lines in (new if rolling * _CUES_A_ROLL >= len(shown) else shown) if lines)


def has_stops(text: str) -> bool:
    """Whether a text has as many stops as people write; without them a model would learn to read without pauses."""
    return len(re.findall(r"[.?!](?=\s|$|[\"”’'])", text)) * _WORDS_A_STOP >= len(text.split())


def _cues(content: str) -> Iterator[list[str]]:
    """The lines of text of each cue.

    SubRip, which writes its times with a comma, may have an empty line inside a cue. In WebVTT that ends the cue, and names of cues,
    notes and styles stand between cues.
    """
    content = content.replace("\r\n", "\n").replace("\r", "\n")
    blocks = [block.strip().split("\n") for block in re.split(r"\n\s*\n", content)]
    first = _TIMES.search(content)
    goes_on = first is not None and "," in first[0] and not content.lstrip("\ufeff \n").startswith("WEBVTT")
    cue: list[str] | None = None
    for block, behind in pairwise([*blocks, [""]]):
        start = next((number for number, line in enumerate(block) if _TIMES.search(line)), len(block))
        if cue is not None and goes_on:
            is_numbered = start < len(block) or bool(_TIMES.match(behind[0].strip()))
            cue += _without_number(block[:start]) if is_numbered else block[:start]
        for line in block[start:]:
            if not _TIMES.search(line):
                cue = [*(cue or []), line]
                continue
            if cue is not None:
                # Two cues may stand in one block, where the number of the second one is still among the lines of the first one.
                yield cue if line is block[start] else _without_number(cue)
            cue = []
    if cue is not None:
        yield cue


def _without_number(lines: list[str]) -> list[str]:
    """``lines`` without the number of the next cue, if that is the last one."""
    return lines[:-1] if lines and lines[-1].strip().isdigit() else lines


def _with_whole_notes(lines: Sequence[str]) -> list[str]:
    """``lines`` with each note about sounds, in brackets, on one line."""
    return _NOTE_OF_LINES.sub(lambda note: note[0].replace("\n", " "), "\n".join(lines)).split("\n")


def _plain(line: str) -> str:
    text = html.unescape(_MARKS.sub("", line)).replace("\u00a0", " ").strip()
    return " ".join(_TURN.sub("", _SOUNDS.sub("", text)).split())


def _without_name(line: str, names: Counter[str]) -> str:
    match = _NAME.match(line)
    return line[match.end() :] if match and (match[1] == match[1].upper() or names[match[1]] > 1) else line


def _rolled(before: Sequence[str], lines: Sequence[str]) -> int:
    """How many of the first ``lines`` are the last lines of the cue ``before``, which are still shown."""
    for count in range(min(len(before), len(lines)), 0, -1):
        same = lines[:count]
        if list(before[-count:]) == list(same) and len(" ".join(same).split()) >= _REPEATED_WORDS:
            return count
    return 0
