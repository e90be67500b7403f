"""Draws and judges the renditions of lines. A job is a batch of lines; it leaves two files and may run in any process.

``ID.safetensors`` holds the codes of every rendition and the places of its text tokens, ``ID.jsonl`` the judgements. The
second is written last, so the lines that it names are done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch

from triforce_tts.audio.io import Audio, encode_opus
from triforce_tts.audio.resample import ANALYSIS_RATE, resample
from triforce_tts.checkpoint import load_tensors, save_tensors
from triforce_tts.errors import CheckpointError, TriforceError
from triforce_tts.evaluation.panel import embed
from triforce_tts.files import atomic_path, read_json_lines, write_text
from triforce_tts.judges.recognisers import open_recogniser
from triforce_tts.judges.words import character_edits, word_edits
from triforce_tts.manifest import DEFAULT_VOICE
from triforce_tts.sampling.takes import make_take
from triforce_tts.sampling.tokens import generate
from triforce_tts.schema import parse_record
from triforce_tts.speech import Spoken
from triforce_tts.synthesis.model import Model, choose_device, load_model
from triforce_tts.synthesis.speaking import Job, make_jobs, plan_drawing, trimmed
from triforce_tts.synthesis.stopwatch import Stopwatch
from triforce_tts.synthesis.vocoding import Utterance, vocode
from triforce_tts.voices import read_reference

from .pairs import Rendition
from .plan import LineToDraw
from .rule import Judgement

TENSORS, JUDGED = ".safetensors", ".jsonl"


@dataclass(frozen=True)
class Judges:
    """The judges: a recogniser (``judges.recognisers``), and a network that tells speakers apart if it is installed."""

    recogniser: str
    hears_voices: bool


@dataclass(frozen=True, eq=False)
class DrawJob:
    """Lines whose renditions are drawn together."""

    name: str  # the name of the job's files, without a suffix
    lines: tuple[LineToDraw, ...]
    model: Path
    device: str
    temperature: float | None
    judges: Judges
    folder: Path
    sounds: Path | None  # the folder for the sounds, if they are wanted


@lru_cache(maxsize=1)
def open_model(folder: Path, device: str) -> Model:
    """This process's copy of the model in ``folder``."""
    return load_model(folder, choose_device(device))


def draw_job(job: DrawJob) -> int:
    """Draw and judge all renditions of a job and write its files; returns the number of renditions.

    Raises:
        TriforceError: the model or a judge cannot be used, or the disk is full.
    """
    model = open_model(job.model, job.device)
    tensors: dict[str, torch.Tensor] = {}
    rows: list[str] = []
    for line, seed, rendition, spoken in draw_lines(model, job.lines, job.temperature):
        name = _name(line.key, seed)
        tensors |= rendition_tensors(rendition, f"{name}.")
        rows.append(judge(model, line, seed, spoken, job.judges).model_dump_json())
        if job.sounds is not None and len(spoken.samples):
            _write_sound(job.sounds / name, model, rendition, spoken)
    with atomic_path(job.folder / f"{job.name}{TENSORS}") as file:
        save_tensors(file, tensors)
    write_text(job.folder / f"{job.name}{JUDGED}", "".join(f"{row}\n" for row in rows))
    return len(rows)


def draw_lines(
    model: Model, lines: Sequence[LineToDraw], temperature: float | None
) -> list[tuple[LineToDraw, int, Rendition, Spoken]]:
    """Each line with each of its seeds as the model draws it in its first try, all in one batch, and its sound.

    The rendition of a seed is what 'speak' draws first with this seed.
    """
    settings = model.settings
    sampling = settings.sampling if temperature is None else replace(settings.sampling, temperature=temperature)
    rows = [(line, seed) for line in lines for seed in line.seeds]
    jobs = [_job(line, seed) for line, seed in rows]
    plan = plan_drawing(model, jobs, 1)
    drawn = generate(model.gpt, *plan, sampling)
    results: list[tuple[LineToDraw, int, Rendition, Spoken]] = []
    watch = Stopwatch()
    for (line, seed), job, ids, limit in zip(rows, jobs, drawn, plan.limits, strict=True):
        take = make_take(model.vocabulary, job.line.pieces, ids, limit)
        sound = torch.zeros(0)
        if len(take.codes):
            (sound,) = vocode(
                model, [Utterance(take.codes, job.voice.speaker, job.seed, job.voice.timbre)], settings, watch
            )
        rendition = Rendition.of(model.vocabulary, ids, take.ended)
        results.append((line, seed, rendition, trimmed(model, job.line, take, sound)))
    return results


def _job(line: LineToDraw, seed: int) -> Job:
    """The job of 'speak' for a line: the lines of a text have consecutive seeds."""
    (job,) = make_jobs([line.line], line.speaker.voice, seed)
    return replace(job, seed=job.seed + line.number)


def judge(model: Model, line: LineToDraw, seed: int, spoken: Spoken, judges: Judges) -> Judgement:
    """The judgement of a rendition."""
    samples, rate = spoken.samples.numpy(), model.audio.sample_rate
    heard, similarity = "", None
    if len(samples):
        heard = open_recogniser(judges.recogniser).hear(resample(samples, rate, ANALYSIS_RATE))
    if judges.hears_voices:
        own = embed(samples, rate) if len(samples) else []
        similarity = sum(a * b for a, b in zip(own, _voice_vector(model, line.speaker.name), strict=bool(own)))
    words, characters = word_edits(line.text, heard), character_edits(line.text, heard)
    return Judgement(
        line=line.key, seed=seed, text=line.text, heard=heard, words_wrong=words.wrong, words=words.total,
        characters_wrong=characters.wrong, characters=characters.total, unsaid=list(spoken.unsaid), ended=spoken.ended,
        seconds=round(len(samples) / rate, 3), predicted_s=round(line.line.predicted_s, 3),
        similarity=None if similarity is None else round(similarity, 4),
    )  # fmt: skip


@lru_cache(maxsize=256)
def _voice_vector(model: Model, name: str) -> tuple[float, ...]:
    """The vector of the speaker in the clip of the voice ``name``."""
    speech, _ = read_reference(name or model.folder / DEFAULT_VOICE, model.audio)
    return tuple(embed(speech.numpy(), model.audio.sample_rate))


# --- files ------------------------------------------------------------------------------------------------------------


def _name(key: str, seed: int) -> str:
    return f"{key}-{seed}"


def rendition_tensors(rendition: Rendition, prefix: str = "") -> dict[str, torch.Tensor]:
    """The tensors of a rendition in a file; ``prefix`` comes before their names."""
    return {
        f"{prefix}codes": rendition.codes.to(torch.int32).contiguous(),
        f"{prefix}starts": torch.tensor(rendition.starts, dtype=torch.int32),
        f"{prefix}ended": torch.tensor([rendition.ended]),
    }


def rendition_of(tensors: Mapping[str, torch.Tensor], where: Path, prefix: str = "") -> Rendition:
    """The rendition of ``rendition_tensors``.

    Raises:
        CheckpointError: a tensor is missing or of another shape; the file ``where`` is named.
    """
    codes, starts, ended = (tensors.get(f"{prefix}{name}") for name in ("codes", "starts", "ended"))
    if codes is None or starts is None or ended is None or [codes.dim(), starts.dim(), ended.numel()] != [2, 1, 1]:
        raise CheckpointError(f"{where}: holds no rendition '{prefix}'; draw it again with 'triforce-tts prefer'")
    return Rendition(codes.long(), tuple(starts.tolist()), bool(ended.item()))


def _write_sound(path: Path, model: Model, rendition: Rendition, spoken: Spoken) -> None:
    """Write the sound of a rendition to listen to, and the rendition itself beside it for a file of choices."""
    with atomic_path(path.with_suffix(".ogg")) as file:
        file.write_bytes(encode_opus(Audio(spoken.samples, model.audio.sample_rate)))
    with atomic_path(path.with_suffix(TENSORS)) as file:
        save_tensors(file, rendition_tensors(rendition))


@dataclass(frozen=True, eq=False)
class Drawn:
    """The renditions of a line that were drawn."""

    file: Path  # the file with the codes of the renditions
    judged: tuple[Judgement, ...]

    def rendition(self, seed: int) -> Rendition:
        """The rendition of ``seed``."""
        return rendition_of(_tensors(self.file), self.file, f"{_name(self.judged[0].line, seed)}.")


@lru_cache(maxsize=8)
def _tensors(file: Path) -> dict[str, torch.Tensor]:
    return load_tensors(file)


def read_drawn(folder: Path) -> dict[str, Drawn]:
    """All lines that were drawn in ``folder``, by their keys.

    Raises:
        TriforceError: a file of judgements is damaged.
    """
    drawn: dict[str, Drawn] = {}
    for file in sorted(folder.glob(f"*{JUDGED}")):
        lines: dict[str, list[Judgement]] = {}
        for number, row in read_json_lines(file):
            judged = parse_record(Judgement, row, f"{file}, line {number} (remove the file to draw it again)")
            lines.setdefault(judged.line, []).append(judged)
        drawn |= {key: Drawn(file.with_suffix(TENSORS), tuple(rows)) for key, rows in lines.items()}
    if missing := [one.file for one in drawn.values() if not one.file.is_file()]:
        raise TriforceError(f"{missing[0]}: is missing, but its judgements are there; remove {missing[0].stem}{JUDGED}")
    return drawn
