"""The plan of the pairs: the lines of the texts, each with its voice and seeds, and the choices that people made."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from triforce_tts.errors import ConfigError, TextError, TriforceError
from triforce_tts.files import read_json_lines, read_text_file
from triforce_tts.narrator.speaking import voice_identity
from triforce_tts.schema import PathText, Record, parse_record
from triforce_tts.synthesis.cloning import open_voice
from triforce_tts.synthesis.model import Model
from triforce_tts.synthesis.script import Line, make_script
from triforce_tts.text.normalize import normalize
from triforce_tts.textfiles import read_lines
from triforce_tts.voices import Voice
from triforce_tts.wording import counted


@dataclass(frozen=True, eq=False)
class Speaker:
    """A voice that lines are drawn in."""

    # the voice as the user gave it: a name or a path; empty for the model's own voice
    name: str
    share: float  # the share of the texts that this voice reads
    voice: Voice
    identity: str  # a checksum of everything in the voice that the networks use


@dataclass(frozen=True, eq=False)
class LineToDraw:
    """A line to be drawn in a voice, once for each seed."""

    key: str  # a checksum of everything that the line's renditions depend on
    text: str  # what the recogniser should hear
    line: Line
    number: int  # the number of the line in its text, from 0
    speaker: Speaker
    seeds: tuple[int, ...]
    heldout: bool = False  # whether the line's pair is only for validation
    better: int | Path | None = None  # the person's choice: a seed, or the file of a rendition
    worse: int | Path | None = None


class ChoiceRecord(Record):
    """A line of a file of choices: which of two renditions of a text a person found better."""

    text: str
    voice: PathText = ""  # a name or a clip; empty for the model's own voice
    better: int | PathText  # the seed of a rendition, or a file that 'prefer --sounds' wrote
    worse: int | PathText


# --- texts ------------------------------------------------------------------------------------------------------------


def read_texts(paths: Sequence[Path]) -> list[str]:
    """The texts of the lists ``paths``, each once: a text a line, of which the part after the last tab counts.

    Raises:
        TextError: a list cannot be read or has no text.
    """
    texts: dict[str, None] = {}
    for path in paths:
        lines = list(read_lines(path))
        if fault := next((line.fault for line in lines if line.fault), ""):
            raise TextError(fault)
        own = [text for line in lines if (text := line.text.rpartition("\t")[2].strip())]
        if not own:
            raise TextError(f"{path}: no text in it; expected a text a line, or a name, a tab and a text")
        texts |= dict.fromkeys(own)
    return list(texts)


def read_excluded(paths: Sequence[Path]) -> frozenset[str]:
    """The writings (see ``writings``) of all texts that must not be drawn.

    A ``.json`` file counts with every string in it, a ``.jsonl`` file with the ``text`` of each object, any other file with
    the texts of its lines.

    Raises:
        TriforceError: a file cannot be read, is damaged, or names no text.
    """
    excluded: set[str] = set()
    for path in paths:
        if path.suffix == ".json":
            texts = list(_strings(_json(path, read_text_file(path))))
        elif path.suffix == ".jsonl":
            rows = [_json(path, line) for _, line in read_json_lines(path)]
            texts = [row["text"] for row in rows if isinstance(row, dict) and isinstance(row.get("text"), str)]
        else:
            texts = read_texts([path])
        if not texts:
            raise TextError(f"{path}: no text in it, so that it would exclude nothing; give a list of texts")
        excluded = excluded.union(*map(writings, texts))
    return frozenset(excluded)


def writings(text: str) -> set[str]:
    """The letters and digits of a text as it is written and as it is spoken: two texts that share one are the same text."""
    forms = {_bare(text)}
    with suppress(TextError):
        forms.add(_bare(normalize(text)))
    return forms - {""}


def _bare(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TextError(f"{path}: not valid JSON ({error}); give a list of texts") from error


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _strings(one)]


# --- voices -----------------------------------------------------------------------------------------------------------


def parse_voices(voices: Sequence[str]) -> dict[str, float]:
    """The share of the texts that each voice gets; voices without a share divide what is left evenly.

    Raises:
        ConfigError: a voice is named twice, or the shares do not sum to 1.
    """
    shares: dict[str, float | None] = {}
    for voice in voices or [""]:
        name, share = _name_and_share(voice)
        if name in shares:
            raise ConfigError(f"--voice {name}: is given twice; give it once")
        shares[name] = share
    total = sum(share for share in shares.values() if share is not None)
    open_ones = sum(share is None for share in shares.values())
    if total > 1 + 1e-6 or (not open_ones and total < 1 - 1e-6) or (open_ones and total > 1 - 1e-6):
        raise ConfigError(
            f"--voice: the shares sum to {total:g}, and {counted(open_ones, 'voice')} without a share {'is' if open_ones == 1 else 'are'} given; expected a sum of 1, or less where "
            "voices have none"
        )
    rest = (1 - total) / open_ones if open_ones else 0.0
    return {name: rest if share is None else share for name, share in shares.items()}


def _name_and_share(voice: str) -> tuple[str, float | None]:
    """The name and the share of a voice that is written as NAME=SHARE; a file that is called like the whole has none.

    Raises:
        ConfigError: what stands behind the last "=" is no share.
    """
    name, separator, written = voice.rpartition("=")
    try:
        share = float(written) if separator else 0.0
    except ValueError:
        share = math.nan
    if name and 0 < share <= 1:
        return name, share
    if not separator or Path(voice).exists():
        return voice, None
    raise ConfigError(
        f"--voice {voice}: expected NAME=SHARE with a share above 0 and at most 1, such as {name or 'kathleen'}=0.5, and "
        f"found the share '{written}'; no file is called '{voice}' either"
    )


def open_speaker(model: Model, name: str, share: float = 0.0) -> Speaker:
    """The voice ``name`` of ``model``: a name, a clip, or empty for its own.

    Raises:
        AudioError: the voice cannot be used.
    """
    voice = open_voice(model, name or None)
    return Speaker(name, share, voice, voice_identity(voice))


# --- lines ------------------------------------------------------------------------------------------------------------


def plan_lines(
    model: Model,
    texts: Sequence[str],
    speakers: Sequence[Speaker],
    seeds: Sequence[int],
    heldout_share: float,
    how: str,
) -> tuple[list[LineToDraw], dict[str, str]]:
    """The lines of ``texts``, and why the other texts cannot be spoken.

    Voice and split of a text depend on its letters alone, so a longer list leaves those of its beginning as they are.
    ``how`` says what else renditions depend on.
    """
    lines: list[LineToDraw] = []
    faults: dict[str, str] = {}
    for text in texts:
        speaker = _pick(speakers, _share_of(text, "voice"))
        try:
            script = make_script(text, model.tokenizer, model.room)
        except TextError as error:
            faults[text] = str(error)
            continue
        heldout = _share_of(text, "split") < heldout_share
        lines += [
            _line_to_draw(
                model, text if len(script) == 1 else line.text, line, number, speaker, tuple(seeds), heldout, how
            )
            for number, line in enumerate(script)
        ]
    return lines, faults


def _line_to_draw(
    model: Model, text: str, line: Line, number: int, speaker: Speaker, seeds: tuple[int, ...], heldout: bool, how: str
) -> LineToDraw:
    parts = [how, model.id, asdict(model.settings), text, line.tokens, number, speaker.identity, seeds]
    return LineToDraw(_digest(parts), text, line, number, speaker, seeds, heldout)


def _digest(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def _share_of(text: str, use: str) -> float:
    """A number, evenly spread over [0, 1), that depends only on the letters of a text and on its ``use``."""
    return int(_digest([_bare(text), use])[:12], 16) / 16**12


def _pick(speakers: Sequence[Speaker], point: float) -> Speaker:
    for speaker in speakers:
        point -= speaker.share
        if point < 0:
            return speaker
    return speakers[-1]


def read_choices(path: Path, model: Model, speakers: Mapping[str, Speaker], how: str) -> list[LineToDraw]:
    """The lines of a file of people's choices: a JSON object a line. ``speakers`` are opened already.

    Raises:
        TriforceError: the file or a line of it cannot be used.
    """
    by_voice = dict(speakers)
    lines: list[LineToDraw] = []
    for number, row in read_json_lines(path):
        where = f"{path}, line {number}"
        choice = parse_record(ChoiceRecord, row, where)
        if choice.better == choice.worse:
            raise TriforceError(f"{where}: the better and the worse rendition are the same one; choose between two")
        script = make_script(choice.text, model.tokenizer, model.room)
        if len(script) != 1:
            raise TextError(f"{where}: the text is spoken in {len(script)} lines; give one line of it at a time")
        if choice.voice not in by_voice:
            by_voice[choice.voice] = open_speaker(model, choice.voice)
        ends = [_end(path, value, where) for value in (choice.better, choice.worse)]
        seeds = tuple(end for end in ends if isinstance(end, int))
        line = _line_to_draw(model, choice.text, script[0], 0, by_voice[choice.voice], seeds, False, how)
        lines.append(LineToDraw(**{**vars(line), "better": ends[0], "worse": ends[1]}))
    if not lines:
        raise TriforceError(f"{path}: no choice in it; expected an object a line with text, better and worse")
    return lines


def _end(path: Path, value: int | str, where: str) -> int | Path:
    if isinstance(value, str):
        file = path.parent / value
        if not file.is_file():
            raise TriforceError(
                f"{where}: there is no file {file}; expected one that 'prefer --sounds' wrote, or a seed"
            )
        return file
    if not 0 <= value < 1 << 40:
        raise TriforceError(f"{where}: seed {value}: expected a whole number from 0 to {(1 << 40) - 1}")
    return value
