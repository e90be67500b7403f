"""Speech by Kokoro-82M (Apache-2.0), a teacher network that also tells when it speaks each phone.

The network reads our own phones one to one, so it speaks exactly the phones that the GPT reads. Its graph computes the
length of every symbol; this module makes that an output, so no aligner is needed. It speaks in the styles that come
with it and in blends of two styles, so there is no limit to the number of voices. ``docs/data.md`` says where the files
come from.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from triforce_tts.audio.io import Audio
from triforce_tts.errors import AudioError, ShardError
from triforce_tts.files import file_sha256
from triforce_tts.text.normalize import normalize
from triforce_tts.text.tokenizer import Piece, TextTokenizer

MODEL = "kokoro-v1.0.int8.onnx"
STYLES, STYLES_ARCHIVE = "voices", "voices-v1.0.bin"
SAMPLE_RATE = 24000  # Hz
UNIT_S = 0.025  # the network counts the length of a symbol in units of 600 samples
LAG_S = 2 * UNIT_S  # a phone sounds so much earlier than the network counts it (measured, see docs/data.md)
AUDIBLE_DB = -35.0  # sound below this level, relative to the loud parts of an utterance, is silence
_WINDOW = 120  # samples over which a level is measured
LONGEST = 480  # symbols of an utterance; the network takes 510, but it speaks too fast near that limit
SPEEDS = (0.5, 2.0)  # the slowest and the fastest speed
WIDTH = 256  # numbers in a style vector
PEAK = 0.95  # audio with a higher peak is made quieter, so that nothing is clipped
_DURATIONS = "/encoder/Clip_output_0"  # the tensor of the graph with the length of each symbol in units

# The network's symbol for each ARPAbet phone without its stress, and its number for each symbol (config.json of
# Kokoro-82M).
_PHONES = {
    "AA": "ɑ", "AE": "æ", "AO": "ɔ", "AW": "W", "AY": "I", "B": "b", "CH": "ʧ", "D": "d", "DH": "ð", "EH": "ɛ",
    "EY": "A", "F": "f", "G": "ɡ", "HH": "h", "IH": "ɪ", "IY": "i", "JH": "ʤ", "K": "k", "L": "l", "M": "m", "N": "n",
    "NG": "ŋ", "OW": "O", "OY": "Y", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ", "UH": "ʊ", "UW": "u",
    "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip
_NUMBERS = {
    " ": 16, "!": 5, ",": 3, ".": 4, ":": 2, ";": 1, "?": 6, "—": 9, "ˈ": 156, "ˌ": 157, "A": 24, "I": 25, "O": 31,
    "W": 39, "Y": 41, "b": 44, "d": 46, "f": 48, "h": 50, "i": 51, "j": 52, "k": 53, "l": 54, "m": 55, "n": 56, "p": 58,
    "s": 61, "t": 62, "u": 63, "v": 64, "w": 65, "z": 68, "ɑ": 69, "æ": 72, "ɔ": 76, "ð": 81, "ʤ": 82, "ə": 83, "ɛ": 86,
    "ɜ": 87, "ɡ": 92, "ɪ": 102, "ŋ": 112, "θ": 119, "ɹ": 123, "ʃ": 131, "ʧ": 133, "ʊ": 135, "ʌ": 138, "ʒ": 147,
}  # fmt: skip
_STRESS = {"": "", "0": "", "1": "ˈ", "2": "ˌ"}
_MARKS = {mark: mark for mark in ".,!?;: "} | {"-": "—"}


@dataclass(frozen=True)
class Lesson:
    """An utterance of the teacher, with the times of its phones."""

    audio: Audio
    normalized: str  # the normalised text that ``alignment`` belongs to
    alignment: list[list[float]]  # see triforce_tts/text/alignment.py


@dataclass(frozen=True)
class Spelling:
    """An utterance as the network reads it."""

    ids: list[int]
    # For each id: the number of its word, and the number of its phone in the word; None for a punctuation mark.
    owners: list[tuple[int, int] | None]

    @property
    def pauses(self) -> list[int]:
        """The numbers of the words that a pause may follow: those before a punctuation mark, and the last one."""
        space = _NUMBERS[" "]
        following = [*zip(self.ids[1:], self.owners[1:], strict=True), (None, None)]
        return [
            owner[0]
            for owner, (number, after) in zip(self.owners, following, strict=True)
            if owner is not None and after is None and number != space
        ]


def symbols_of(phone: str) -> str:
    """The network's symbols for an ARPAbet phone with its stress.

    Raises:
        KeyError: ``phone`` is not an ARPAbet phone.
    """
    base = phone.rstrip("012")
    stress = _STRESS[phone[len(base) :]]
    if base == "AH":
        return stress + ("ʌ" if stress else "ə")
    if base == "ER":
        return stress + ("ɜɹ" if stress else "əɹ")
    return stress + _PHONES[base]


def spell(pieces: Sequence[Piece]) -> Spelling:
    """The words, marks and spaces of a text in the network's symbols.

    Raises:
        AudioError: a word has no phones, or there are too many symbols.
    """
    spelled, owners, word = "", list[tuple[int, int] | None](), -1
    for piece in pieces:
        word += piece.is_word
        for place, symbol in enumerate(piece.symbols):
            if not piece.is_word:
                mark = _MARKS.get(symbol, "")
                written = "" if mark == " " and spelled.endswith(" ") else mark
            elif symbol.isupper():
                written = symbols_of(symbol)
            else:
                raise AudioError(f"the phones of the word '{''.join(piece.symbols)}' are unknown")
            spelled += written
            owners += [(word, place) if piece.is_word else None] * len(written)
    if not 0 < len(spelled) <= LONGEST:
        raise AudioError(f"the text has {len(spelled)} symbols, expected 1 to {LONGEST}")
    return Spelling([_NUMBERS[symbol] for symbol in spelled], owners)


def alignment_of(spelling: Spelling, units: Sequence[int]) -> list[list[float]]:
    """For each word: its start, then the end of each of its phones, in seconds.

    Args:
        spelling: the symbols that the network read.
        units: the length of each symbol; the first and the last number are the silence at the beginning and the end.
    """
    ends = np.cumsum(np.asarray(units)) * UNIT_S
    words: dict[int, dict[int, float]] = {}
    starts: dict[int, float] = {}
    for number, owner in enumerate(spelling.owners):
        if owner is not None:
            word, phone = owner
            starts.setdefault(word, float(ends[number]))
            words.setdefault(word, {})[phone] = float(ends[number + 1])
    return [
        [round(starts[word], 4), *(round(phones[place], 4) for place in sorted(phones))]
        for word, phones in sorted(words.items())
    ]


def in_sound(alignment: list[list[float]], pauses: Collection[int], wave: npt.NDArray[np.float32]) -> list[list[float]]:
    """The counted times ``alignment`` as they lie in the sound ``wave`` [samples].

    The network's count runs behind its sound, and it counts the silence of a pause as a part of the phone before it. So
    every time becomes earlier by LAG_S, and a word before a pause ends with its last audible sound. The last phone of
    such a word keeps a hundredth of a second, if the network counts so much for it.

    Args:
        alignment: see ``alignment_of``.
        pauses: numbers of the words that a pause may follow.
        wave: the utterance at SAMPLE_RATE.
    """
    moved = [[max(0.0, round(time - LAG_S, 4)) for time in word] for word in alignment]
    whole = wave[: len(wave) // _WINDOW * _WINDOW].reshape(-1, _WINDOW)
    power = np.square(whole, dtype=np.float64).mean(axis=1)
    audible = np.flatnonzero(power > np.percentile(power, 95) * 10 ** (AUDIBLE_DB / 10))
    ends = (audible + 1) * _WINDOW / SAMPLE_RATE
    for number in pauses:
        word = moved[number]
        heard = ends[(ends > word[-2]) & (ends < word[-1])]
        word[-1] = min(word[-1], max(word[-2] + 0.01, round(float(heard.max(initial=0.0)), 4)))
    return moved


# --- voices ----------------------------------------------------------------------------------------------------------


def parse_voice(voice: str) -> dict[str, float]:
    """The styles and their shares in a voice such as ``af_heart``, ``af_heart+af_bella`` or ``af_heart+af_bella:0.7``.

    The number is the share of the first style; without a number it is 0.5.

    Raises:
        ShardError: ``voice`` has another form.
    """
    match = re.fullmatch(r"(\w+)(?:\+(\w+)(?::(0?\.\d+))?)?", voice)
    share = float(match[3] or 0.5) if match else 0.0
    if match is None or not 0.0 < share < 1.0 or match[1] == match[2]:
        raise ShardError(f"voice '{voice}': expected a name, or two names with the share of the first, such as a+b:0.5")
    return {match[1]: 1.0} if match[2] is None else {match[1]: share, match[2]: 1.0 - share}


def blend(styles: Mapping[str, npt.NDArray[np.float32]], voice: str) -> npt.NDArray[np.float32]:
    """The style [510, width] of a voice or of a blend of two voices; row n - 1 is for texts of n symbols.

    Raises:
        ShardError: there is no such voice.
    """
    parts = parse_voice(voice)
    if unknown := sorted(set(parts) - set(styles)):
        raise ShardError(f"unknown voice '{unknown[0]}'; kokoro has: {', '.join(sorted(styles))}")
    total: npt.NDArray[np.float32] = np.sum([share * styles[name] for name, share in parts.items()], axis=0)
    return total.astype(np.float32)


class Kokoro:
    """The teacher network and its styles, loaded from a folder."""

    def __init__(self, assets: Path) -> None:
        self.tokenizer = TextTokenizer()
        self.styles = read_styles(assets)
        self.session = _session(assets / MODEL)

    def speak(self, text: str, voice: str, speed: float = 1.0) -> Lesson:
        """Speak ``text`` in ``voice``; the result has the time of each phone.

        Raises:
            TextError: nothing in the text can be spoken.
            AudioError: a word has no phones, the text is too long, or the network gives no usable audio.
            ShardError: there is no such voice.
        """
        normalized = normalize(text)
        spelling = spell(self.tokenizer.spell(normalized))
        feed = {
            "tokens": np.array([[0, *spelling.ids, 0]], np.int64),
            "style": blend(self.styles, voice)[len(spelling.ids) - 1][None],
            "speed": np.array([speed], np.float32),
        }
        wave, units = (value.ravel() for value in self.session.run(["audio", _DURATIONS], feed))
        seconds = len(wave) / SAMPLE_RATE
        if not np.isfinite(wave).all() or abs(float(units.sum()) * UNIT_S - seconds) > UNIT_S:
            raise AudioError(f"kokoro gives no usable sound for '{text[:60]}'")
        samples = torch.from_numpy(wave / max(1.0, float(np.abs(wave).max()) / PEAK))
        alignment = in_sound(alignment_of(spelling, units), spelling.pauses, wave)
        return Lesson(Audio(samples, SAMPLE_RATE), normalized, alignment)


def version(assets: Path) -> str:
    """The beginning of the network file's checksum, which tells one version of the network from another.

    Raises:
        ShardError: the file is missing.
    """
    try:
        return file_sha256(assets / MODEL)[:12]
    except OSError as error:
        raise ShardError(
            f"{assets / MODEL}: cannot read kokoro's network ({error.strerror}); see docs/data.md for its files"
        ) from error


@lru_cache(maxsize=1)
def load(assets: Path) -> Kokoro:
    """The teacher in the folder ``assets``; each process loads it once.

    Raises:
        ShardError: files are missing or damaged, or onnxruntime is not installed.
    """
    return Kokoro(assets)


def read_styles(assets: Path) -> dict[str, npt.NDArray[np.float32]]:
    """The styles in ``assets``, [510, width] each: files ``voices/NAME.bin``, or one archive ``voices-v1.0.bin``.

    Raises:
        ShardError: there is no style, or one has a wrong size.
    """
    folder, archive = assets / STYLES, assets / STYLES_ARCHIVE
    try:
        if folder.is_dir():
            styles = {path.stem: np.fromfile(path, np.float32) for path in sorted(folder.glob("*.bin"))}
        else:
            with np.load(archive, allow_pickle=False) as members:
                styles = {name: members[name].astype(np.float32) for name in sorted(members.files)}
    except (OSError, ValueError) as error:
        raise ShardError(
            f"{assets}: cannot read the voices of kokoro ({error}); expected {STYLES}/NAME.bin or {STYLES_ARCHIVE}"
        ) from error
    wrong = [name for name, style in styles.items() if style.size % WIDTH or style.size < LONGEST * WIDTH]
    if wrong or not styles:
        fault = f"'{wrong[0]}' has {styles[wrong[0]].size} numbers" if wrong else "there is none"
        raise ShardError(
            f"{assets}: a voice of kokoro has 510 x {WIDTH} numbers, but {fault}; download the files again"
        )
    return {name: style.reshape(-1, WIDTH) for name, style in styles.items()}


def _session(path: Path) -> Any:
    """The network, which runs on one thread; the lengths of its symbols are made an output of it.

    Raises:
        ShardError: the file is missing or damaged, or onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ShardError("kokoro needs onnxruntime: pip install 'triforce-tts[data]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(
            with_output(path.read_bytes(), _DURATIONS), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # the errors of onnxruntime have no common base class
        line = str(error).strip().split("\n")[0]
        raise ShardError(f"{path}: cannot load kokoro's network ({line}); see docs/data.md for its files") from error


def with_output(model: bytes, name: str) -> bytes:
    """The bytes of an ONNX ``model`` in which the inner tensor ``name`` is made an output.

    Protocol Buffers merge two messages that follow each other. So the function appends a ModelProto that holds only a
    graph (field 7) with an output (field 12) of that name (field 1).
    """
    content = name.encode()
    for number in (1, 12, 7):
        if len(content) > 127:
            raise ValueError(f"'{name}' is too long")
        content = bytes([number << 3 | 2, len(content)]) + content
    return model + content
