"""One clip of an evaluation: made by a model or read from a file, written down, and judged. Processes run this."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import torch

from triforce_tts.audio.edit import normalize_level
from triforce_tts.audio.io import Audio, encode_opus, read_audio
from triforce_tts.audio.mel import envelope, mel_spectrogram
from triforce_tts.audio.phase import griffin_lim
from triforce_tts.errors import AudioError, TextError
from triforce_tts.evaluation.figures import RTF
from triforce_tts.evaluation.panel import ClipToJudge, Panel, errors
from triforce_tts.evaluation.plan import Job
from triforce_tts.evaluation.report import Clip, Figure
from triforce_tts.synthesis import Synthesizer
from triforce_tts.voices import Voice

# A line has the expected length if its duration is between these multiples of the duration predicted from its
# characters.
_AS_PREDICTED = (0.6, 1.6)
_LONGEST_S = 60.0  # the longest part of a recording that is used
# The longest part of a voice's clip that is copied. Its words are not known, so a longer part would tell nothing new.
_LONGEST_VOICE_S = 15.0


@dataclass(frozen=True)
class Work:
    """A job, and the things that every job needs."""

    job: Job
    panel: Panel
    audio: Path  # the folder for the clips
    key: str = ""  # a checksum of everything that the judgement depends on


@dataclass(frozen=True)
class Judged:
    """The result of a job.

    ``clip`` is none for a reference, and for a job that failed: ``fault`` then says why. ``vectors`` say who speaks: in the
    whole of a clip, and of a reference also in its halves.
    """

    job: Job
    clip: Clip | None
    vectors: tuple[list[float], ...] = ()
    fault: str = ""
    work_seconds: float = 0.0  # processor time for the clip


@dataclass(frozen=True)
class Sound:
    """A clip before it is judged."""

    audio: Audio
    figures: dict[str, Figure] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def judge(work: Work) -> Judged:
    """Make the clip of a job and ask the panel. A recording or a text that cannot be used is this job's fault alone.

    Raises:
        TriforceError: the model or a judge cannot be used.
    """
    began = time.process_time()
    judged = _judge(work)
    return replace(judged, work_seconds=time.process_time() - began)


def _judge(work: Work) -> Judged:
    job, panel = work.job, work.panel
    try:
        sound = MAKERS[job.kind](job)
    except (AudioError, TextError) as error:
        return Judged(job, None, fault=str(error))
    vectors = _vectors(sound.audio, panel, halves=job.kind is None)
    if job.kind is None:
        return Judged(job, None, vectors)
    figures, heard, file = dict(sound.figures), "", None
    if len(sound.audio.samples):
        file = "-".join(filter(None, (job.name, work.key[:8]))) + ".ogg"
        (work.audio / file).write_bytes(encode_opus(sound.audio))
        asked = ClipToJudge(sound.audio.samples.numpy(), sound.audio.sample_rate, job.sentence.text)
        for opinion in (judging(asked) for judging in panel.judges):
            figures |= opinion.figures
            heard = heard or opinion.heard
    elif panel.recogniser is not None:
        figures |= errors(job.sentence.text, "")
    clip = Clip(
        system=job.system, sentence=job.sentence.id, text=job.sentence.text, group=job.sentence.group, voice=job.voice,
        seed=job.seed, audio=file, seconds=sound.audio.duration_s, heard=heard, figures=figures, faults=sound.faults,
    )  # fmt: skip
    return Judged(job, clip, vectors)


def _vectors(audio: Audio, panel: Panel, halves: bool) -> tuple[list[float], ...]:
    if panel.embed is None or not len(audio.samples):
        return ()
    parts = (audio.samples, *(audio.samples.tensor_split(2) if halves else ()))
    return tuple(panel.embed(part.numpy(), audio.sample_rate) for part in parts)


@lru_cache(maxsize=2)
def _model(folder: Path) -> Synthesizer:
    """This process's copy of a model. Code that changes its settings must restore them."""
    return Synthesizer.load(folder, "cpu")


@lru_cache(maxsize=64)
def _voice(model: Path, clip: Path | None) -> Voice:
    return _model(model).voice(clip)


def _folder(job: Job) -> Path:
    assert job.model is not None, job
    return job.model


def spoken(job: Job) -> Sound:
    """The job's sentence, spoken by its model, with the work of each stage."""
    synthesizer, voice = _model(_folder(job)), _voice(_folder(job), job.source)
    before, began = dict(synthesizer.stopwatch.seconds), time.process_time()
    speech = synthesizer.speak(job.sentence.text, voice, job.seed)
    worked = time.process_time() - began
    seconds = {stage: took - before.get(stage, 0.0) for stage, took in synthesizer.stopwatch.seconds.items()}
    figures = _work(seconds, worked, speech.duration_s)
    figures["complete"] = Figure(amount=float(speech.complete))
    lasting = [
        _AS_PREDICTED[0] <= len(line.samples) / speech.sample_rate / line.predicted_s <= _AS_PREDICTED[1]
        for line in speech.lines
    ]
    figures["as_predicted"] = Figure(amount=float(all(lasting)))
    return Sound(Audio(speech.samples, speech.sample_rate, speech.tags), figures, tuple(speech.faults))


def _work(seconds: dict[str, float], worked: float, duration_s: float) -> dict[str, Figure]:
    """The seconds of work for a second of speech, in all and for each stage.

    The stages' ``seconds`` are those of the clock, which runs on while other processes have the processor. So the
    processor time ``worked`` is divided among the stages in the proportions of the clock.
    """
    clock = sum(took for took in seconds.values() if took > 0)
    stages = {f"{RTF}_{stage}": worked * took / clock for stage, took in seconds.items() if took > 0}
    return {name: Figure(amount=took, weight=duration_s) for name, took in {RTF: worked, **stages}.items()}


def recording(job: Job) -> Sound:
    """The job's recording as it is."""
    assert job.source is not None
    return Sound(read_audio(job.source, max_seconds=_LONGEST_S))


def reference(job: Job) -> Sound:
    """The beginning of a clip of a voice."""
    assert job.source is not None
    return Sound(read_audio(job.source, first_seconds=_LONGEST_S))


@torch.inference_mode()
def mel_and_back(job: Job) -> Sound:
    """The recording, made again from its mel spectrogram without a network; the phases are by Griffin-Lim."""
    synthesizer = _model(_folder(job))
    samples = _at_level(job, synthesizer)
    mel = mel_spectrogram(samples[None], synthesizer.audio)
    back = griffin_lim(envelope(mel, synthesizer.audio)[0], synthesizer.audio, synthesizer.settings.phase_iterations)
    return Sound(Audio(back[: len(samples)].clamp(-1, 1), synthesizer.audio.sample_rate))


def _at_level(job: Job, synthesizer: Synthesizer) -> torch.Tensor:
    assert job.source is not None
    seconds = _LONGEST_S if job.sentence.text else _LONGEST_VOICE_S
    audio = read_audio(job.source, synthesizer.audio.sample_rate, first_seconds=seconds)
    return normalize_level(audio.samples, audio.sample_rate)[0]


def codes_and_back(job: Job) -> Sound:
    """The recording, made again from its codes, with or without stage 3."""
    synthesizer = _model(_folder(job))
    settings = synthesizer.settings
    if job.kind == "stage1":
        synthesizer.settings = replace(settings, diffusion_steps=0)
    try:
        samples = _at_level(job, synthesizer)
        audio = synthesizer.resynthesize(Audio(samples, synthesizer.audio.sample_rate), job.seed)
    finally:
        synthesizer.settings = settings
    return Sound(audio)


MAKERS: dict[str | None, Callable[[Job], Sound]] = {
    None: reference, "natural": recording, "spoken": spoken, "cloned": spoken,
    "griffin_lim": mel_and_back, "stage1": codes_and_back, "stages13": codes_and_back,
}  # fmt: skip
