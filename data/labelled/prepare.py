"""One labelled recording to one sample: read, checked, resampled, brought to level, its words placed, encoded."""

import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch

from triforce_tts.audio.edit import bandwidth_hz, normalize_level
from triforce_tts.audio.io import Audio, encode_flac, encode_opus, read_audio
from triforce_tts.audio.resample import resample
from triforce_tts.errors import AudioError, TextError, TriforceError
from triforce_tts.samples import SampleRecord, content_of
from triforce_tts.shards import Sample
from triforce_tts.text import alignment
from triforce_tts.text.normalize import normalize
from triforce_tts.text.tokenizer import TextTokenizer

from ..common.align import aligner
from ..common.clips import Recording, TeacherVoice
from . import kokoro, synthetic

ENCODERS: dict[str, Callable[[Audio], bytes]] = {"flac": encode_flac, "opus": encode_opus}
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)  # Hz
SAMPLE_RATES = (4000, 384_000)  # Hz: less holds no speech, more is no recording of it
_SLACK_S = 0.01  # an alignment counts in frames, and the last frame may reach beyond the end of the sound
_BEYOND_S = 1.0  # so much is read beyond the longest length: enough to see that a recording is too long


@dataclass(frozen=True)
class Limits:
    """What a recording must keep to; beside each number, why."""

    min_seconds: float = 0.7  # shorter ones hold no whole word with its ends
    max_seconds: float = 35.0  # longer ones are not sentences
    min_characters_per_second: float = 3.0  # below: text is missing
    max_characters_per_second: float = 30.0  # above: sound is missing
    max_clipped: float = 0.001  # share of samples at full scale


@dataclass(frozen=True)
class Recipe:
    """How samples are made of recordings."""

    sample_rate: int | None = None  # Hz; as recorded where there is none
    limits: Limits = Limits()
    align: bool | None = None  # place the words; None: take what is given, and place none; False: neither
    codec: str = "flac"


@dataclass(frozen=True)
class Prepared:
    """A sample, and why the alignment that came with the recording was not taken, if it was not."""

    sample: Sample
    misfit: str = ""


class Refused(Exception):
    """A recording that cannot be used."""

    def __init__(self, reason: str, value: object, seconds: float = 0.0, again: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.value, self.seconds = reason, value, seconds
        self.again = again  # whether this machine was at fault, so that the next build shall try again


def prepare(recording: Recording, recipe: Recipe) -> Prepared:
    """The sample of one recording.

    Raises:
        Refused: something is wrong with the recording or its text.
        TriforceError: what is wrong concerns every recording, such as a program that is missing, or a full disk.
    """
    if not recording.text.strip():
        raise Refused("no text", "")
    try:
        return _prepare(recording, recipe)
    except (AudioError, TextError) as error:
        raise Refused("unreadable", error) from error
    except (Refused, TriforceError, OSError, ImportError):
        raise
    except MemoryError as error:
        raise Refused("unreadable", "it needs more memory than there is", again=True) from error
    except Exception as error:
        # A fault of this program or of a library, with this recording: the others shall not wait for its mending.
        raise Refused("fault of the builder", f"{error!r}; please report it") from error


def _prepare(recording: Recording, recipe: Recipe) -> Prepared:
    if recording.teacher is not None:
        recording, audio = _taught(recording, recording.teacher)
    else:
        audio = _sound(recording, recipe.limits)
    _check(recording, audio, recipe.limits)
    band = bandwidth_hz(audio.samples, audio.sample_rate)
    stored = rate_to_store(recipe.sample_rate or audio.sample_rate, recipe.codec)
    if stored != audio.sample_rate:
        audio = _resample(audio, stored)
    levelled, gain_db = normalize_level(audio.samples, audio.sample_rate)
    audio = Audio(levelled, audio.sample_rate)
    words, misfit = _words(recording, audio, recipe.align)
    record = SampleRecord(
        id=recording.id,
        text=recording.text,
        speaker=recording.speaker,
        source=recording.source,
        license=recording.license,
        punct=recording.punct,
        sample_rate=audio.sample_rate,
        duration_s=round(audio.duration_s, 4),
        gain_db=round(gain_db, 2),
        bandwidth_hz=min(band, audio.sample_rate // 2),
        reader=recording.reader,
        snr_db=recording.snr_db,
        alignment=words,
    )
    sample = Sample(recording.id, content_of(record), ENCODERS[recipe.codec](audio), recipe.codec)
    return Prepared(sample, misfit)


def rate_to_store(sample_rate: int, codec: str) -> int:
    """The rate in Hz that a sample is stored at: Opus knows few rates, and takes the next higher."""
    rates = OPUS_RATES if codec == "opus" else (sample_rate,)
    return min((rate for rate in rates if rate >= sample_rate), default=rates[-1])


def _taught(recording: Recording, teacher: TeacherVoice) -> tuple[Recording, Audio]:
    """The recording with the alignment that the teacher gives, and its sound."""
    lesson = kokoro.load(teacher.assets).speak(recording.text, teacher.voice, teacher.speed)
    words = tuple(tuple(word) for word in lesson.alignment)
    return replace(recording, alignment=words, normalized=lesson.normalized), lesson.audio


def _sound(recording: Recording, limits: Limits) -> Audio:
    if synthetic.is_synthetic(recording):
        return synthetic.make(recording)
    path = Path(recording.audio)
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise Refused("unreadable", f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if not is_file:
        raise Refused("unreadable", f"{path}: not a regular file")
    # Ten hours of silence are two megabytes: no more is decoded than it takes to see that it is too long.
    return read_audio(path, first_seconds=limits.max_seconds + _BEYOND_S)


def _resample(audio: Audio, sample_rate: int) -> Audio:
    wave = resample(audio.samples.numpy(), audio.sample_rate, sample_rate)
    return Audio(torch.from_numpy(wave).clamp(-1, 1), sample_rate)


def _check(recording: Recording, audio: Audio, limits: Limits) -> None:
    seconds = audio.duration_s
    if not SAMPLE_RATES[0] <= audio.sample_rate <= SAMPLE_RATES[1]:
        raise Refused("sample rate", f"{audio.sample_rate} Hz", seconds)
    if seconds < limits.min_seconds:
        raise Refused("too short", f"{seconds:.2f} s", seconds)
    if seconds > limits.max_seconds:
        raise Refused("too long", f"{seconds:.2f} s or more", seconds)
    rate = len(recording.text) / seconds
    if not limits.min_characters_per_second <= rate <= limits.max_characters_per_second:
        raise Refused("text does not fit", f"{rate:.1f} characters a second", seconds)
    peak = float(audio.samples.abs().max())
    if peak < 1e-4:
        raise Refused("silent", f"peak {peak:.1e}", seconds)
    clipped = float((audio.samples.abs() > 0.999).float().mean())
    if clipped > limits.max_clipped:
        raise Refused("clipped", f"{100 * clipped:.2f} %", seconds)


# --- alignments ------------------------------------------------------------------------------------------------


def _words(recording: Recording, audio: Audio, align: bool | None) -> tuple[list[list[float]] | None, str]:
    """The alignment of a recording, and why one that was given is not it."""
    if align is False:
        return None, ""
    misfit = ""
    if recording.alignment is not None:
        misfit = misfit_of(recording.alignment, recording.text, recording.normalized, audio.duration_s)
        if not misfit:
            return [list(word) for word in recording.alignment], ""
    if not align:
        return None, misfit
    if synthetic.is_synthetic(recording) and (known := synthetic.known_alignment(recording)) is not None:
        return (None if misfit_of(known, recording.text, None, audio.duration_s) else known), ""
    return aligner()(audio, recording.text), misfit


def misfit_of(words: Sequence[alignment.Word], text: str, normalized: str | None, duration_s: float) -> str:
    """Why an alignment does not fit a text and its sound; empty where it does."""
    try:
        ours = normalize(text)
        count = sum(piece.is_word for piece in tokenizer().spell(ours))
    except TextError as error:
        return f"its text cannot be spoken ({error})"
    if normalized is not None and normalized != ours:
        return f"it is of the text '{normalized}', which is now normalised to '{ours}'"
    if len(words) != count:
        return f"it has {len(words)} words, the normalised text {count}"
    if any(len(word) < 2 or list(word) != sorted(word) for word in words):
        return "a word of it has no start and end, or times that fall"
    starts = [word[0] for word in words]
    if words and (starts != sorted(starts) or starts[0] < 0 or max(word[-1] for word in words) > duration_s + _SLACK_S):
        return f"its times do not rise from 0 to the {duration_s:.2f} s of the recording"
    return ""


@lru_cache(maxsize=1)
def tokenizer() -> TextTokenizer:
    """This process's tokenizer: its lexicon takes longer to load than a text to spell."""
    return TextTokenizer()
