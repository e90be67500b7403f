"""Makes one sample of one clip: reads, checks, resamples, levels, aligns and encodes it."""

import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from triforce_tts.audio.edit import bandwidth_hz, normalize_level, without_offset
from triforce_tts.audio.io import Audio, encode_flac, encode_opus, read_audio
from triforce_tts.audio.resample import resample
from triforce_tts.errors import AudioError, TextError, TriforceError
from triforce_tts.judges.align import aligner
from triforce_tts.judges.words import Edits
from triforce_tts.samples import SampleRecord, content_of
from triforce_tts.shards import Sample
from triforce_tts.text import alignment
from triforce_tts.text.normalize import normalize
from triforce_tts.text.tokenizer import TextTokenizer
from triforce_tts.wording import counted

from ..common.clips import Clip, TeacherVoice
from . import kokoro, synthetic
from .hearing import Hearing, hear

ENCODERS: dict[str, Callable[[Audio], bytes]] = {"flac": encode_flac, "opus": encode_opus}
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)  # Hz
SAMPLE_RATES = (4000, 384_000)  # Hz; below there is no room for speech, above nobody records it
_SLACK_S = 0.01  # an alignment counts in frames, and the last frame may reach beyond the end of the sound
NO_TEXT, UNREADABLE = "no text", "unreadable"  # reasons to leave a clip out
_BEYOND_S = 1.0  # reading goes this far beyond the longest length, which is enough to see that a clip is too long


@dataclass(frozen=True)
class Limits:
    """Limits that a clip must keep; the comment on each gives its reason."""

    min_seconds: float = 0.7  # a shorter clip has no room for a whole word and the silence around it
    max_seconds: float = 35.0  # a longer clip is no sentence
    min_characters_per_second: float = 3.0  # below this rate, words are missing in the text
    max_characters_per_second: float = 30.0  # above this rate, words are missing in the audio
    max_clipped: float = 0.001  # share of samples at full scale


@dataclass(frozen=True)
class Recipe:
    """The settings by which samples are made of clips."""

    sample_rate: int | None = None  # Hz; None: each clip keeps its own rate
    limits: Limits = Limits()
    # True: align the clips that have no alignment that fits. None: only take the alignments that a manifest or the
    # teacher gives. False: take none.
    align: bool | None = None
    codec: str = "flac"
    hearing: Hearing | None = None  # None: no recogniser hears the clips


@dataclass(frozen=True)
class Prepared:
    """A sample, and what else there is to say of its clip."""

    sample: Sample
    misfit: str = ""  # why the alignment in the manifest does not fit; empty if it fits
    edits: Edits | None = None  # the words that a recogniser heard wrongly, if one heard the clip


class Refused(Exception):
    """A clip that cannot be used."""

    def __init__(
        self, reason: str, value: object, seconds: float = 0.0, again: bool = False, edits: Edits | None = None
    ) -> None:
        super().__init__(reason)
        self.reason, self.value, self.seconds = reason, value, seconds
        self.again = again  # whether the machine was at fault and the next build should try the clip again
        self.edits = edits  # the words that a recogniser heard wrongly, if it heard the clip


def prepare(clip: Clip, recipe: Recipe) -> Prepared:
    """Make the sample of one clip.

    Raises:
        Refused: something is wrong with the clip or its text.
        TriforceError: an error that concerns every clip, such as a missing program or a full disk.
    """
    if not clip.text.strip():
        raise Refused(NO_TEXT, "")
    try:
        return _prepare(clip, recipe)
    except (AudioError, TextError) as error:
        raise Refused(UNREADABLE, error) from error
    except (Refused, TriforceError, OSError, ImportError):
        raise
    except MemoryError as error:
        raise Refused(UNREADABLE, "it needs more memory than there is", again=True) from error
    except Exception as error:
        # This program or a library failed on this clip. The build goes on with the other clips.
        raise Refused("fault of the builder", f"{error!r}; please report it") from error


def _prepare(clip: Clip, recipe: Recipe) -> Prepared:
    if clip.teacher is not None:
        clip, audio = _taught(clip, clip.teacher)
    else:
        audio = _sound(clip, recipe.limits)
    centred = without_offset(audio.samples)
    _check(clip, audio, centred, recipe.limits)
    audio = Audio(centred, audio.sample_rate)
    band = bandwidth_hz(audio.samples, audio.sample_rate)
    stored = rate_to_store(recipe.sample_rate or audio.sample_rate, recipe.codec)
    if stored != audio.sample_rate:
        audio = _resample(audio, stored)
    levelled, gain_db = normalize_level(audio.samples, audio.sample_rate)
    audio = Audio(levelled, audio.sample_rate)
    scores, edits = _heard(clip, audio, recipe.hearing)
    words, misfit = _words(clip, audio, recipe.align)
    record = SampleRecord(
        id=clip.id,
        text=clip.text,
        speaker=clip.speaker,
        source=clip.collection,
        license=clip.license,
        punct=clip.punct,
        sample_rate=audio.sample_rate,
        duration_s=round(audio.duration_s, 4),
        gain_db=round(gain_db, 2),
        bandwidth_hz=min(band, audio.sample_rate // 2),
        reader=clip.reader,
        snr_db=clip.snr_db,
        alignment=words,
        **scores,
    )
    sample = Sample(clip.id, content_of(record), ENCODERS[recipe.codec](audio), recipe.codec)
    return Prepared(sample, misfit, edits)


def rate_to_store(sample_rate: int, codec: str) -> int:
    """The rate in Hz that a sample is stored at; for Opus, which has few rates, the next higher one."""
    rates = OPUS_RATES if codec == "opus" else (sample_rate,)
    return min((rate for rate in rates if rate >= sample_rate), default=rates[-1])


def _taught(clip: Clip, teacher: TeacherVoice) -> tuple[Clip, Audio]:
    """The audio of the teacher, and the clip with the alignment that the teacher gives."""
    lesson = kokoro.load(teacher.assets).speak(clip.text, teacher.voice, teacher.speed)
    words = tuple(tuple(word) for word in lesson.alignment)
    return replace(clip, alignment=words, normalized=lesson.normalized), lesson.audio


def _sound(clip: Clip, limits: Limits) -> Audio:
    if synthetic.is_synthetic(clip):
        return synthetic.make(clip)
    path = Path(clip.audio)
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError) as error:  # a ValueError means a zero byte in the name
        raise Refused(UNREADABLE, f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if not is_file:
        raise Refused(UNREADABLE, f"{path}: not a regular file")
    # A file of two megabytes can hold ten hours of silence, so decoding stops when the clip is clearly too long.
    return read_audio(path, first_seconds=limits.max_seconds + _BEYOND_S)


def _resample(audio: Audio, sample_rate: int) -> Audio:
    wave = resample(audio.samples.numpy(), audio.sample_rate, sample_rate)
    return Audio(torch.from_numpy(wave).clamp(-1, 1), sample_rate)


def _check(clip: Clip, audio: Audio, centred: torch.Tensor, limits: Limits) -> None:
    """Refuse a clip that breaks ``limits``; ``centred`` are the samples of ``audio`` without a constant part."""
    seconds = audio.duration_s
    if not SAMPLE_RATES[0] <= audio.sample_rate <= SAMPLE_RATES[1]:
        raise Refused("sample rate", f"{audio.sample_rate} Hz", seconds)
    if seconds < limits.min_seconds:
        raise Refused("too short", f"{seconds:.2f} s", seconds)
    if seconds > limits.max_seconds:
        raise Refused("too long", f"{seconds:.2f} s or more", seconds)
    rate = len(clip.text) / seconds
    if not limits.min_characters_per_second <= rate <= limits.max_characters_per_second:
        raise Refused("text does not fit", f"{rate:.1f} characters a second", seconds)
    peak = float(centred.abs().max())
    if peak < 1e-4:
        raise Refused("silent", f"peak {peak:.1e}", seconds)
    clipped = float((audio.samples.abs() > 0.999).float().mean())
    if clipped > limits.max_clipped:
        raise Refused("clipped", f"{100 * clipped:.2f} %", seconds)


def _heard(clip: Clip, audio: Audio, hearing: Hearing | None) -> tuple[dict[str, Any], Edits | None]:
    """The fields that a recogniser's hearing adds to the sample, and the words that it heard wrongly."""
    if hearing is None:
        return {}, None
    transcript = hear(audio, clip.text, hearing)
    error = transcript.edits.error
    if error > hearing.max_words_wrong:
        value = f"{100 * error:.0f} % of its words are wrong: '{transcript.text}'"
        raise Refused("another text is heard", value, audio.duration_s, edits=transcript.edits)
    return {"recogniser": transcript.recogniser, "words_wrong": round(error, 4)}, transcript.edits


# --- alignments ------------------------------------------------------------------------------------------------


def _words(clip: Clip, audio: Audio, align: bool | None) -> tuple[list[list[float]] | None, str]:
    """The alignment of a clip, and the reason if the one in the manifest does not fit."""
    if align is False:
        return None, ""
    misfit = ""
    if clip.alignment is not None:
        misfit = misfit_of(clip.alignment, clip.text, clip.normalized, audio.duration_s)
        if not misfit:
            return [list(word) for word in clip.alignment], ""
    if not align:
        return None, misfit
    if synthetic.is_synthetic(clip) and (word_times := synthetic.known_alignment(clip)) is not None:
        return (None if misfit_of(word_times, clip.text, None, audio.duration_s) else word_times), ""
    return aligner()(audio, clip.text), misfit


def misfit_of(words: Sequence[alignment.Word], text: str, normalized: str | None, duration_s: float) -> str:
    """The reason why an alignment does not fit a text and its audio; empty if it fits."""
    try:
        ours = normalize(text)
        count = sum(piece.is_word for piece in tokenizer().spell(ours))
    except TextError as error:
        return f"its text cannot be spoken ({error})"
    if normalized is not None and normalized != ours:
        return f"it belongs to the text '{normalized}', but the text is normalised to '{ours}' now"
    if len(words) != count:
        return f"it has {counted(len(words), 'word')}, but the normalised text has {count}"
    if any(len(word) < 2 or list(word) != sorted(word) for word in words):
        return "one of its words has no start and end, or its times do not rise"
    starts = [word[0] for word in words]
    if words and (starts != sorted(starts) or starts[0] < 0 or max(word[-1] for word in words) > duration_s + _SLACK_S):
        return f"its times do not rise from 0 to the {duration_s:.2f} s of the recording"
    return ""


@lru_cache(maxsize=1)
def tokenizer() -> TextTokenizer:
    """The one tokenizer of this process: loading its lexicon takes longer than spelling a text."""
    return TextTokenizer()
