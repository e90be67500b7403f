"""Tables of clips, such as ``metadata.csv``: pipes separate the columns, as in LJSpeech, or tabs, as in Common Voice.

Commas or semicolons separate them if the first row names the columns. Two columns are an id and a text. The meaning of
three columns is decided from all rows together and told on the terminal. If the rows do not show it, the table is
refused: a speaker must not be taken for a text, nor a text for a speaker.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from triforce_tts.errors import ShardError
from triforce_tts.textfiles import Line, read_lines

from ..common.places import AUDIO_SUFFIXES

Columns = tuple[str, ...]
IsRecording = Callable[[str], bool]
COLUMNS = ("id", "text", "normalized", "speaker", "reader", "-")  # "-" is a column that is not used
LJSPEECH: Columns = ("id", "text", "normalized")
_ALIKE = 0.5  # two texts that share at least this share of their words are forms of the same text
_MOST = 0.8  # share of rows that must agree
_FEW = 8  # in a table with fewer rows, each row may have a speaker of its own
_MOST_LINES = 100  # lines of a field in quotation marks
_LONGEST_NAME = 40  # characters; a longer field is no speaker's name
# What the first row may call a column; only the letters count, so that 'Audio File' is 'audio_file'. Of two columns that
# mean the same, the one counts whose name stands before the other's here.
_NAMES = {
    "id": "path filepath audiopath audiofilepath wavpath file filename fname audiofile audiofilename wavfile wavfilename wavname "
    "audio wav clip recording fileid id",
    "text": "text rawtext transcript transcripts transcription sentence utterance content prompt words",
    "normalized": "normalized normalised normalizedtext normalisedtext normalizedtranscription normalizedtranscript",
    "speaker": "speaker speakername speakerid clientid spk spkid",
}
_KNOWN = {column: names.split() for column, names in _NAMES.items()}
_HEADS = {name: column for column, names in _KNOWN.items() for name in names}
_VAGUE = ("utterance", "content", "prompt", "words")  # may also hold numbers, names or kinds
_OTHER = "other "  # before a column that is not used because another one has a likelier name for the same
SEPARATORS = "|\t,;"
# A program put the quotation marks around a field if the field holds a pipe or a doubled mark; otherwise the marks
# belong to the text.
_QUOTED = {mark: re.compile(rf'"((?:[^"]|"")*)"(?={re.escape(mark)}|$)') for mark in "|\t"}

_INNER = '[^"]*(?:""[^"]*)*'  # what stands between the quotation marks of a field
_FIELD = {mark: f'(?:"{_INNER}"|[^"{mark}][^{mark}]*|)' for mark in ",;"}
_WHOLE = {mark: re.compile(f"(?:{field}{mark})*{field}") for mark, field in _FIELD.items()}
_OPEN = {
    mark: re.compile(f'(?:{field}{mark})*"{_INNER}') for mark, field in _FIELD.items()
}  # the last field is not closed


@dataclass(frozen=True)
class Row:
    """The fields of a line of a table, or the fault for which it cannot be used."""

    number: int
    id: str = ""
    text: str = ""
    speaker: str | None = None
    reader: str | None = None
    fault: str = ""


def parse_columns(option: str) -> Columns:
    """The columns that the user gives with ``--columns``.

    Raises:
        ShardError: a column is unknown or is named twice, or the id or the text is missing.
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


def read_table(
    path: Path, columns: Columns | None = None, is_recording: IsRecording = lambda name: False
) -> tuple[Columns, list[Row]]:
    """The columns of a table and its rows; without ``columns`` the rows decide what the columns are.

    ``is_recording`` says whether a name is that of a recording that is here.

    Raises:
        ShardError: the table cannot be read, or its rows do not show what the columns are.
    """
    lines = list(read_lines(path))
    separator = _separator([line.text for line in lines if not line.fault])
    if separator in ",;":
        lines = list(_joined(lines, separator, is_recording))
    split = {line.number: _fields(line.text, separator) for line in lines if not line.fault}
    rows = list(split.values())
    if columns is None and rows and (heads := heads_of(rows[0])):
        columns = _checked(path, heads, rows, is_recording)
        lines = [line for line in lines if line.number != next(iter(split))]
    if columns is None:
        columns = _decide(path, rows)
    return columns, [
        Row(line.number, fault=line.fault)
        if line.fault
        else _row(path, line.number, split[line.number], columns, separator)
        for line in lines
    ]


def _separator(lines: Sequence[str]) -> str:
    """The sign that separates the columns: the one at which the first line falls into their names, or a tab or a pipe.

    It is a tab if each line has one and the first line has no pipe.
    """
    if lines:
        for mark in SEPARATORS:
            if heads_of(_fields(lines[0], mark)):
                return mark
        if "|" not in lines[0] and all("\t" in line for line in lines):
            return "\t"
    return "|"


def _joined(lines: Sequence[Line], separator: str, is_recording: IsRecording) -> Iterator[Line]:
    """The rows of a table with commas or semicolons: a field in quotation marks may hold the ends of lines.

    A mark belongs to the text, and the row ends with its line, where no mark closes the field within ``_MOST_LINES`` and
    before the next row, or where what it closes is no row of as many fields as the first.
    """
    heads = _fields(lines[0].text, separator) if lines else []
    columns = heads_of(heads) or ()
    row_id = _shape(_cell(lines[1].text, separator, columns)) if len(lines) > 1 else ""

    def is_row(text: str) -> bool:
        name = _cell(text, separator, columns)
        if name.lower().endswith(AUDIO_SUFFIXES) or (any(map(str.isdigit, name)) and _shape(name) == row_id):
            return True
        return is_recording(name)

    place = 0
    while place < len(lines):
        row, count = lines[place].text, 1
        is_open = _OPEN[separator].fullmatch(row) is not None
        has_id = is_open and is_row(row)
        for line in lines[place + 1 : place + _MOST_LINES] if is_open else ():
            if line.fault or (has_id and is_row(line.text)):
                break
            has_id = has_id or is_row(line.text)
            row, count = f"{row}\n{line.text}", count + 1
            is_open = '"' not in line.text or _OPEN[separator].fullmatch(row) is not None
            if not is_open:
                break
        if is_open or len(_fields(row, separator)) != len(heads) or not _WHOLE[separator].fullmatch(row):
            row, count = lines[place].text, 1
        yield Line(lines[place].number, row, lines[place].fault)
        place += count


def _cell(line: str, separator: str, columns: Columns) -> str:
    """The id in a line."""
    fields = _fields(line, separator)
    return fields[columns.index("id")].strip() if "id" in columns and columns.index("id") < len(fields) else ""


def _shape(name: str) -> str:
    """What the names of a corpus have in common that count their recordings."""
    return re.sub(r"\d+", "0", name)


def _fields(line: str, separator: str) -> list[str]:
    if separator in ",;":
        try:
            return next(csv.reader([line], delimiter=separator), [])
        except csv.Error:  # a field is too long
            return [line]
    fields = []
    place = 0
    while True:
        quoted = _QUOTED[separator].match(line, place)
        if quoted and (separator in quoted[1] or '""' in quoted[1]):
            fields.append(quoted[1].replace('""', '"'))
            place = quoted.end()
        else:
            end = line.find(separator, place)
            end = len(line) if end < 0 else end
            fields.append(line[place:end])
            place = end
        if place >= len(line):
            return fields
        place += 1


def heads_of(fields: Sequence[str]) -> Columns | None:
    """The columns that the first row names; None if it is no row of names."""
    names = [_name(field) for field in fields]
    known = [name for name in names if name in _HEADS]
    if len(set(known)) < len(known):
        return None
    best = {next((name for name in every if name in known), "") for every in _KNOWN.values()}
    columns = tuple(
        "-" if name not in _HEADS else _HEADS[name] if name in best else _OTHER + _HEADS[name] for name in names
    )
    return columns if "id" in columns and {"text", "normalized"} & set(columns) else None


def _name(field: str) -> str:
    return re.sub(r"[\s_-]", "", field).lower()


def _checked(path: Path, columns: Columns, rows: Sequence[Sequence[str]], is_recording: IsRecording) -> Columns:
    """The ``columns`` that the first of ``rows`` names, as far as the other rows bear it out.

    Of several columns that may name the recording, one counts whose first value is a recording that is here.

    Raises:
        ShardError: the name of the column of texts may mean something else, and none of its values is made of words.
    """
    place = columns.index("id")
    here = [i for i in _ids(columns) if len(rows) > 1 and i < len(rows[1]) and is_recording(rows[1][i])]
    if here and place not in here:
        columns = tuple(
            "id" if i == here[0] else _OTHER + "id" if i == place else name for i, name in enumerate(columns)
        )
    text = columns.index("normalized" if "normalized" in columns else "text")
    values = [row[text].strip() for row in rows[1:] if len(row) > text]
    if _name(rows[0][text]) in _VAGUE and not any(" " in value or value.isalpha() for value in values):
        raise ShardError(
            f"{path}: the column '{rows[0][text].strip()}' holds no texts, such as '{next(iter(values), '')[:80]}'; call the "
            "column of the texts 'text'"
        )
    return columns


def _ids(columns: Columns) -> list[int]:
    """The places of the columns that may name the recording, the likeliest first."""
    return sorted(
        (i for i, name in enumerate(columns) if name in ("id", _OTHER + "id")), key=lambda i: columns[i] != "id"
    )


def first_names(text: str) -> Iterator[str]:
    """What the first row of a table that begins with ``text`` may call its recording, for each separator.

    Commas and semicolons stand in any prose, so there the first line must name the columns.
    """
    lines = [line for line in text.splitlines() if line.strip()][:2]
    for mark in SEPARATORS if lines else "":
        if heads := heads_of(_fields(lines[0], mark)):
            fields = _fields(lines[-1], mark)
            yield from (fields[i] for i in _ids(heads) if i < len(fields))
        elif mark in "|\t" and mark in lines[0]:
            yield _fields(lines[0], mark)[0]


def names_columns(text: str) -> bool:
    """Whether the first row of a table that begins with ``text`` names the columns."""
    first = next(filter(str.strip, text.splitlines()), "")
    return any(heads_of(_fields(first, mark)) for mark in SEPARATORS)


def shown(columns: Columns) -> str:
    """The columns as the user may give them with ``--columns``."""
    return ", ".join("-" if name.startswith(_OTHER) else name for name in columns)


def _decide(path: Path, rows: Sequence[Sequence[str]]) -> Columns:
    rows = [[field.strip() for field in row] for row in rows]
    wide = [row for row in rows if len(row) > 2 and any(row[2:])]
    if not wide:
        return ("id", "text") if all(len(row) < 3 for row in rows) else LJSPEECH
    if _share(_are_alike(row[1], row[2]) for row in wide if len(row) == 3) >= _MOST:
        return LJSPEECH
    if len(wide) < len(rows) / 2:  # most rows have two columns, so in the other rows the text holds a pipe
        return ("id", "text")
    named = [row for row in wide if row[1] and row[2]]
    if named and not any(_are_alike(row[1], row[2]) for row in named):
        second, third = (_are_names([row[column] for row in named]) for column in (1, 2))
        if second and not third:
            return ("id", "speaker", "text")
        if third and not second and all(len(row) == 3 for row in wide):
            return ("id", "text", "speaker")
    raise ShardError(
        f"{path}: the rows do not show what the columns are ('{'|'.join(wide[0])[:80]}'); name them, such as --columns "
        "id,speaker,text or --columns id,text,normalized"
    )


def _share(which: Iterable[bool]) -> float:
    values = list(which)
    return sum(values) / len(values) if values else 0.0


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", text.lower()))


def _are_alike(text: str, other: str) -> bool:
    """Whether two texts are forms of the same text; an empty text counts as a form of every text."""
    words, others = _words(text), _words(other)
    if not words or not others:
        return not text.strip() or not other.strip()
    return len(words & others) >= _ALIKE * min(len(words), len(others))


def _are_names(values: Sequence[str]) -> bool:
    """Whether a column holds names of speakers: short values that repeat, or single words if there are few rows."""
    if any(len(value) > _LONGEST_NAME or re.search(r"[.,;:!?]( |$)", value) for value in values):
        return False
    if len(set(values)) <= len(values) / 2:
        return True
    return len(values) < _FEW and all(" " not in value for value in values)


def _row(path: Path, number: int, fields: Sequence[str], columns: Columns, separator: str) -> Row:
    values = _fitted(fields, columns, separator)
    if values is None or not values.get("id"):
        fault = f"expected {separator.join(columns)}, found '{separator.join(fields)[:80]}'"
        return Row(number, fault=f"{path}, line {number}: {fault}")
    text = values.get("normalized") or values.get("text") or ""
    if "speaker" in columns and not values.get("speaker"):
        return Row(number, values["id"], fault=f"{path}, line {number}: the speaker is missing")
    return Row(number, values["id"], text, values.get("speaker"), values.get("reader"))


def _fitted(fields: Sequence[str], columns: Columns, separator: str) -> dict[str, str] | None:
    """The fields by their columns; None if they do not fit. If there are too many fields, the text holds separators."""
    more = len(fields) - len(columns)
    if more > 0:
        joined = _join(list(fields), columns, more, separator)
        if joined is None:
            return None
        fields = joined
    elif more < 0 and not (columns == LJSPEECH and len(fields) == 2):
        return None
    return {name: field.strip() for name, field in zip(columns[: len(fields)], fields, strict=True)}


def _join(fields: list[str], columns: Columns, more: int, separator: str) -> list[str] | None:
    texts = [i for i, name in enumerate(columns) if name.removeprefix(_OTHER) in ("text", "normalized")]
    if len(texts) == 1:
        start = texts[0]
        return [*fields[:start], separator.join(fields[start : start + more + 1]), *fields[start + more + 1 :]]
    first, second = texts[:2]
    if len(texts) > 2 or second != first + 1 or more % 2:
        return None
    half = more // 2 + 1  # fields of each form of the text: both forms must have the same number of separators
    halves = [separator.join(fields[i : i + half]) for i in (first, first + half)]
    return [*fields[:first], *halves, *fields[first + 2 * half :]] if _are_alike(*halves) else None
