"""Checks one sample of a shard: its fields, its words, its sound, and its codes."""

import io
import math
import re
from collections.abc import Mapping
from tokenize import TokenError
from typing import Any

import numpy as np
import numpy.typing as npt

from triforce_tts.errors import AudioError, TextError
from triforce_tts.samples import LONGEST_S, SAMPLE_RATES, CodesRecord, SampleRecord, faults_of
from triforce_tts.text import alignment
from triforce_tts.text.normalize import normalize
from triforce_tts.wording import counted

TOLERANCE_S = 0.001  # the largest error from rounding the length in the JSON
OPUS_FRAME_S = 0.02  # Opus may add up to one frame at the end
ALIGNMENT_FRAME_S = 0.01  # the aligner counts in frames, and the last frame may reach beyond the end of the sound
_BEYOND_S = 1.0  # decoding goes this far beyond the stated length, which is enough to see that the sound is longer
SILENT_PEAK = 1e-4  # the builder refuses recordings with a lower peak too
FRAME_TOLERANCE = 2  # frames of codes that may be padded or cut at the ends
NUMBER = (int, float)
_KEY = re.compile(r"[A-Za-z0-9_-]{1,90}")


def is_of(value: Any, kinds: tuple[type, ...]) -> bool:
    """Whether a JSON value has one of the types ``kinds``; a bool is no number, although Python counts it as one."""
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def check_fields(meta: dict[str, Any], key: str, kind: str) -> list[str]:
    """The faults in the JSON of the sample ``key`` in shards of a ``kind``."""
    if faults := faults_of(meta, CodesRecord if kind == "codes" else SampleRecord):
        return faults
    faults = [] if _KEY.fullmatch(key) else ["its key has other characters than letters, digits, '_' and '-'"]
    if meta["id"] != key:
        faults.append(f"its id is '{meta['id']}', expected its key")
    faults += [f"'{name}' is empty" for name in ("text", "speaker") if not meta[name].strip()]
    seconds, rate = meta["duration_s"], meta["sample_rate"]
    if not (0 < seconds <= LONGEST_S and SAMPLE_RATES[0] <= rate <= SAMPLE_RATES[1]):
        return [*faults, f"its length is {seconds} s and its sample rate {rate} Hz; one of them is not possible"]
    return faults + (_check_alignment(meta) or _check_words(meta, kind))


def _check_alignment(meta: Mapping[str, Any]) -> list[str]:
    """The faults of an alignment whose times do not rise or lie outside of the recording."""
    for number, word in enumerate(meta.get(alignment.KEY) or []):
        if len(word) < 2:
            return [f"word {number} of its alignment has no start and end"]
        if sorted(word) != word or word[0] < 0 or word[-1] > meta["duration_s"] + ALIGNMENT_FRAME_S:
            return [f"word {number} of its alignment is at {word[0]:g} to {word[-1]:g} s of {meta['duration_s']:g} s"]
    return []


def _check_words(meta: Mapping[str, Any], kind: str) -> list[str]:
    """The faults of a text that training cannot spell, or whose words are not those of the alignment."""
    placed = meta.get(alignment.KEY)
    if kind == "audio" and placed is None:
        return []
    from .labelled.prepare import tokenizer  # here and below, because it imports torch, for which --help must not wait

    try:
        text = meta["normalized"] if kind == "codes" else normalize(meta["text"])
        words = sum(piece.is_word for piece in tokenizer().spell(text))
    except TextError as error:
        return [f"its text cannot be spoken ({error})"] if kind == "codes" else []
    if placed is not None and len(placed) != words:
        return [f"its alignment has {counted(len(placed), 'word')}, its text has {words}; build the shards again"]
    return []


def check_audio(data: bytes, meta: Mapping[str, Any], extension: str) -> list[str]:
    """The faults in the encoded sound of a sample whose JSON is right."""
    from triforce_tts.audio.io import decode_audio

    try:
        # Decoding stops soon after the stated length, because a few bytes can hold hours of silence.
        audio = decode_audio(data, f".{extension}", duration_s=meta["duration_s"] + _BEYOND_S)
    except AudioError as error:
        return [str(error)]
    faults = []
    if audio.sample_rate != meta["sample_rate"]:
        faults.append(f"it decodes to {audio.sample_rate} Hz, its .json says {meta['sample_rate']}")
    tolerance = OPUS_FRAME_S if extension == "opus" else TOLERANCE_S
    if abs(audio.duration_s - meta["duration_s"]) > tolerance:
        faults.append(f"it decodes to {audio.duration_s:.4f} s, its .json says {meta['duration_s']}")
    if float(audio.samples.abs().max()) < SILENT_PEAK:
        faults.append("it is silent")
    return faults


def check_codes(data: bytes, meta: Mapping[str, Any], details: Mapping[str, Any]) -> list[str]:
    """The faults in the codes of a sample whose JSON is right; ``details`` are those of the index."""
    try:
        codes = _load_codes(data)
    except (ValueError, EOFError, OSError) as error:
        return [f"its codes are damaged ({error})"]
    if codes.dtype != np.uint16 or codes.ndim != 2 or codes.shape[1] != details["groups"] or not codes.size:
        return [f"its codes are {codes.dtype} {list(codes.shape)}, expected uint16 [frames, {details['groups']}]"]
    faults = []
    if codes.max() >= details["n_codes"]:
        faults.append(f"it has the code {codes.max()}, expected codes below {details['n_codes']}")
    expected = meta["duration_s"] * details["code_rate"]
    if abs(len(codes) - expected) > FRAME_TOLERANCE:
        frames = counted(len(codes), "frame")
        faults.append(f"it has {frames} of codes for {meta['duration_s']} s, expected about {expected:.0f}")
    return faults


def _load_codes(data: bytes) -> npt.NDArray[Any]:
    """The array in a .npy file; its header is compared with the file's size before memory is allocated.

    Raises:
        ValueError: it is no .npy file, or it does not have the size that its header says.
    """
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        shape, _, kind = read(file)
    except (SyntaxError, TokenError, TypeError, RecursionError, MemoryError) as error:  # numpy parses it as Python code
        raise ValueError(f"the header of the array is damaged: {type(error).__name__}") from error
    if kind.hasobject:
        raise ValueError("they are Python objects")
    if math.prod(shape) * kind.itemsize != len(data) - file.tell():
        raise ValueError(f"{len(data) - file.tell()} bytes for {kind} {list(shape)}")
    return np.asarray(np.load(io.BytesIO(data), allow_pickle=False))
