"""Tables of recordings, ``metadata.csv``: rows of columns that a pipe parts, as LJSpeech has them.

Two columns are an id and a text. What three columns are is decided by all the rows together, said on the terminal, and
refused where the rows do not show it: a speaker must not be taken for a text, nor a text for a speaker.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from triforce_tts.errors import ShardError
from triforce_tts.textfiles import read_lines

Columns = tuple[str, ...]
COLUMNS = ("id", "text", "normalized", "speaker", "reader", "-")  # "-": not used
LJSPEECH: Columns = ("id", "text", "normalized")
_ALIKE = 0.5  # share of words in common from which one text is a form of the other
_MOST = 0.8  # share of rows that must agree
_FEW = 8  # rows in which each speaker may be another
_LONGEST_NAME = 40  # characters of a speaker's name
_HEADS = {
    **dict.fromkeys(("id", "file", "file_name", "filename", "file_id", "audio", "audio_file", "path", "wav"), "id"),
    **dict.fromkeys(("text", "transcript", "transcription", "sentence", "raw_text"), "text"),
    **dict.fromkeys(("normalized", "normalised", "normalized_text", "normalised_text"), "normalized"),
    **dict.fromkeys(("speaker", "speaker_name", "speaker_id"), "speaker"),
}
# A field in quotation marks that holds a pipe or a doubled mark was quoted by a program; others are the text's own.
_QUOTED = re.compile(r'"((?:[^"]|"")*)"(?=\||$)')


@dataclass(frozen=True)
class Row:
    """What a line of a table says, or why it says nothing."""

    number: int
    id: str = ""
    text: str = ""
    speaker: str | None = None
    reader: str | None = None
    fault: str = ""


def parse_columns(option: str) -> Columns:
    """The columns that a user names.

    Raises:
        ShardError: one is not known or named twice, or the id or the text is missing.
    """
    columns = tuple(name.strip() for name in option.split(","))
    used = [name for name in columns if name != "-"]
    wrong = [name for name in used if name not in COLUMNS or used.count(name) > 1]
    if wrong or "id" not in used or not {"text", "normalized"} & set(used):
        raise ShardError(
            f"--columns {option}: expected 'id' and 'text', and perhaps 'normalized', 'speaker', 'reader' and '-' for a "
            "column that is not used, such as id,speaker,text"
        )
    return columns


def read_table(path: Path, columns: Columns | None = None) -> tuple[Columns, list[Row]]:
    """The columns of a table, given or found out, and its rows.

    Raises:
        ShardError: it cannot be read, or its rows do not show what their columns are.
    """
    lines = list(read_lines(path))
    split = {line.number: _fields(line.text) for line in lines if not line.fault}
    rows = list(split.values())
    if columns is None and rows and (heads := _heads(rows[0])):
        columns = heads
        lines = [line for line in lines if line.number != next(iter(split))]
    if columns is None:
        columns = _decide(path, rows)
    return columns, [
        Row(line.number, fault=line.fault) if line.fault else _row(path, line.number, split[line.number], columns)
        for line in lines
    ]


def _fields(line: str) -> list[str]:
    fields = []
    place = 0
    while True:
        quoted = _QUOTED.match(line, place)
        if quoted and ("|" in quoted[1] or '""' in quoted[1]):
            fields.append(quoted[1].replace('""', '"'))
            place = quoted.end()
        else:
            end = line.find("|", place)
            end = len(line) if end < 0 else end
            fields.append(line[place:end])
            place = end
        if place >= len(line):
            return fields
        place += 1


def _heads(fields: Sequence[str]) -> Columns | None:
    """The columns that a first row names, where it is a row of names."""
    names = tuple(_HEADS.get(field.strip().lower(), "-") for field in fields)
    used = [name for name in names if name != "-"]
    is_head = len(used) >= 2 and "id" in used and {"text", "normalized"} & set(used) and len(set(used)) == len(used)
    return names if is_head else None


def _decide(path: Path, rows: Sequence[Sequence[str]]) -> Columns:
    rows = [[field.strip() for field in row] for row in rows]
    wide = [row for row in rows if len(row) > 2 and any(row[2:])]
    if not wide:
        return ("id", "text") if all(len(row) < 3 for row in rows) else LJSPEECH
    if _share(_are_alike(row[1], row[2]) for row in wide if len(row) == 3) >= _MOST:
        return LJSPEECH
    if len(wide) < len(rows) / 2:  # most rows have two columns: in the others the text has a pipe
        return ("id", "text")
    named = [row for row in wide if row[1] and row[2]]
    if named and not any(_are_alike(row[1], row[2]) for row in named):
        second, third = (_are_names([row[column] for row in named]) for column in (1, 2))
        if second and not third:
            return ("id", "speaker", "text")
        if third and not second and all(len(row) == 3 for row in wide):
            return ("id", "text", "speaker")
    raise ShardError(
        f"{path}: it is not clear what its columns are ('{'|'.join(wide[0])[:80]}'); say it, such as --columns "
        "id,speaker,text or --columns id,text,normalized"
    )


def _share(which: Iterable[bool]) -> float:
    values = list(which)
    return sum(values) / len(values) if values else 0.0


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", text.lower()))


def _are_alike(text: str, other: str) -> bool:
    """Whether two texts are forms of one; one may be empty."""
    words, others = _words(text), _words(other)
    if not words or not others:
        return not text.strip() or not other.strip()
    return len(words & others) >= _ALIKE * min(len(words), len(others))


def _are_names(values: Sequence[str]) -> bool:
    """Whether a column holds names of speakers: short and repeated, or, in a few rows, each a word."""
    if any(len(value) > _LONGEST_NAME or re.search(r"[.,;:!?]( |$)", value) for value in values):
        return False
    if len(set(values)) <= len(values) / 2:
        return True
    return len(values) < _FEW and all(" " not in value for value in values)


def _row(path: Path, number: int, fields: Sequence[str], columns: Columns) -> Row:
    values = _fitted(fields, columns)
    if values is None or not values.get("id"):
        told = f"expected {'|'.join(columns)}, found '{'|'.join(fields)[:80]}'"
        return Row(number, fault=f"{path}, line {number}: {told}")
    text = values.get("normalized") or values.get("text") or ""
    if "speaker" in columns and not values.get("speaker"):
        return Row(number, values["id"], fault=f"{path}, line {number}: the speaker is missing")
    return Row(number, values["id"], text, values.get("speaker"), values.get("reader"))


def _fitted(fields: Sequence[str], columns: Columns) -> dict[str, str] | None:
    """The fields by their columns; where there are more, the text holds pipes."""
    more = len(fields) - len(columns)
    if more > 0:
        joined = _join(list(fields), columns, more)
        if joined is None:
            return None
        fields = joined
    elif more < 0 and not (columns == LJSPEECH and len(fields) == 2):
        return None
    return {name: field.strip() for name, field in zip(columns[: len(fields)], fields, strict=True)}


def _join(fields: list[str], columns: Columns, more: int) -> list[str] | None:
    texts = [i for i, name in enumerate(columns) if name in ("text", "normalized")]
    if len(texts) == 1:
        start = texts[0]
        return [*fields[:start], "|".join(fields[start : start + more + 1]), *fields[start + more + 1 :]]
    first, second = texts
    if second != first + 1 or more % 2:
        return None
    half = more // 2 + 1  # both forms of the text have as many pipes
    halves = ["|".join(fields[i : i + half]) for i in (first, first + half)]
    return [*fields[:first], *halves, *fields[first + 2 * half :]] if _are_alike(*halves) else None
