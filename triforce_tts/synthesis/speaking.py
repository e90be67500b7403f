"""From lines to codes and sound: all lines of a batch, and all candidates of each, are drawn together.

Whether a line is complete is known only when it can be heard: every word needs a sound. So this file draws codes, has
them made sound, and draws again what was not complete. A line's speech does not depend on the lines beside it.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch

from triforce_tts import bounds
from triforce_tts.audio.edit import sounding
from triforce_tts.errors import ConfigError
from triforce_tts.sampling.stepping import is_native
from triforce_tts.sampling.takes import Take, end_of_text, make_take, unsaid
from triforce_tts.sampling.tokens import Reading, Shape, generate, speech_grammar
from triforce_tts.speech import Spoken, TimedWord
from triforce_tts.synthesis.hearing import clearest
from triforce_tts.synthesis.model import Model
from triforce_tts.synthesis.script import Line, closed
from triforce_tts.synthesis.settings import Settings
from triforce_tts.synthesis.stopwatch import Stopwatch
from triforce_tts.synthesis.vocoding import Utterance, vocode
from triforce_tts.text.pace import holds
from triforce_tts.voices import Voice

# Seeds lie so far apart that no line of one seed shares its random numbers with a line of the next seed, and no take of
# a line shares them with a take of another line.
_LINE_STRIDE = 1_000_003
_TAKE_STRIDE = 1_000_000_007
# In a batch with a fixed shape, the steps of prompts, and the most steps of all, are multiples of these numbers.
_PROMPT_STEPS, _ROOM_STEPS = 32, 256


@dataclass(frozen=True, eq=False)
class Job:
    """A line to be spoken."""

    line: Line
    voice: Voice
    seed: int  # the seed of the line's first take, and of the noise of stage 3


@dataclass(frozen=True, eq=False)
class Choice:
    """The rule that finds the best of several takes of a line."""

    takes: int  # the number of takes of each line, even if the first is complete
    # The rank of a take at a sample rate; the smallest rank is the best.
    rank: Callable[[Spoken, int], tuple[float, ...]]
    # The names of the figures that are compared; the result depends on them.
    names: tuple[str, ...]


def make_jobs(lines: Sequence[Line], voice: Voice, seed: int, speed: float = 1.0) -> list[Job]:
    """The jobs of the ``lines`` of one text, each with a seed of its own. At another ``speed`` natural pauses change too."""
    paced = [
        replace(
            line,
            pause_s=line.pause_s if line.holds_pause else line.pause_s / speed,
            predicted_s=line.predicted_s / speed,
        )
        for line in lines
    ]
    return [Job(line, voice, seed * _LINE_STRIDE + number) for number, line in enumerate(paced)]


def speak_jobs(
    model: Model, jobs: Sequence[Job], settings: Settings, watch: Stopwatch, choice: Choice | None = None
) -> list[Spoken]:
    """Each line as its first complete try says it; if no try is complete, the one that lacks least.

    With ``settings.batch`` the samples of a line do not depend on the other lines, to the last bit. Lines that are complete are
    not drawn again, unless a ``choice`` wants several takes. Each try has the next seeds; from the second on, a line that ends
    without a mark gets a full stop.
    """
    if settings.batch == 1 and len(jobs) > 1:
        return [spoken for job in jobs for spoken in speak_jobs(model, [job], settings, watch, choice)]
    tries: list[list[Spoken]] = [[] for _ in jobs]
    least = choice.takes if choice else 1
    for number in range(max(settings.tries, least)):
        is_settled = [len(spoken) >= least and any(one.complete for one in spoken) for spoken in tries]
        open_jobs = [i for i, settled in enumerate(is_settled) if not settled]
        if not open_jobs:
            break
        tried = [next_try(model, jobs[i], number, settings.candidates) for i in open_jobs]
        noise_seeds = [jobs[i].seed for i in open_jobs]
        for i, spoken in zip(open_jobs, _speak_once(model, tried, noise_seeds, settings, watch), strict=True):
            tries[i].append(replace(spoken, text=jobs[i].line.text, tries=number + 1))
    if choice is None:
        return [best_try(spoken) for spoken in tries]
    with watch.time("choice"):
        return [_chosen(spoken, choice, model.audio.sample_rate) for spoken in tries]


def _chosen(tries: Sequence[Spoken], choice: Choice, sample_rate: int) -> Spoken:
    """The best of all tries by ``choice``."""
    best = min(tries, key=lambda spoken: choice.rank(spoken, sample_rate))
    return replace(best, tries=len(tries))


def next_try(model: Model, job: Job, number: int, candidates: int) -> Job:
    """The job of try ``number`` of ``job``."""
    line = closed(job.line, model.tokenizer, model.room) if number else job.line
    return replace(job, line=line, seed=job.seed + number * candidates * _TAKE_STRIDE)


def best_try(tries: Sequence[Spoken]) -> Spoken:
    """The last try if it is complete, else the one that lacks least."""
    if tries[-1].complete:
        return tries[-1]
    best = min(tries, key=lambda spoken: (len(spoken.unsaid), not spoken.ended))
    return replace(best, tries=len(tries))


def _speak_once(
    model: Model, jobs: Sequence[Job], noise_seeds: Sequence[int], settings: Settings, watch: Stopwatch
) -> list[Spoken]:
    """Each line in one try; the noise of stage 3 comes from ``noise_seeds``."""
    takes = draw(model, jobs, settings, watch)
    filled = [i for i, take in enumerate(takes) if len(take.codes)]
    utterances = [
        Utterance(takes[i].codes, jobs[i].voice.speaker, noise_seeds[i], jobs[i].voice.timbre) for i in filled
    ]
    together = [[utterance] for utterance in utterances] if settings.batch else [utterances]
    waves = [wave for some in together for wave in vocode(model, some, settings, watch)]
    sounds = dict(zip(filled, waves, strict=True))
    return [
        trimmed(model, job.line, take, sounds.get(i, torch.zeros(0)))
        for i, (job, take) in enumerate(zip(jobs, takes, strict=True))
    ]


def trimmed(model: Model, line: Line, take: Take, samples: torch.Tensor) -> Spoken:
    """A take and its sound without silence at the ends and what comes after the text, with the words left unsaid."""
    end, is_followed = text_end(model, take, samples)
    samples = samples[:end] if is_followed else samples
    start, end = sounding(samples, model.audio.sample_rate)
    return make_spoken(model, line, take, samples, (start, end) if end else (0, len(samples)))


def text_end(model: Model, take: Take, samples: torch.Tensor) -> tuple[int, bool]:
    """How much of a sound belongs to the text for certain, and whether something else is said after the text."""
    if not take.spans or take.last is None:
        return len(samples), False
    word, last = take.spans[-1][0] * model.code_samples, take.last * model.code_samples
    return end_of_text(samples, word, last, model.audio.sample_rate)


def make_spoken(model: Model, line: Line, take: Take, samples: torch.Tensor, extent: tuple[int, int]) -> Spoken:
    """A take, the part ``extent`` of its sound ``samples`` [n], and the words that it leaves unsaid."""
    missing = tuple(unsaid(take, line.words, samples, model.code_samples, model.audio.sample_rate))
    return Spoken(
        line.text, samples[extent[0] : extent[1]], take.codes, take.ended, line.predicted_s, line.pause_s, line.source,
        missing, words=tuple(_timed_words(model, line, take, extent)), begins=line.begins, lead_s=line.lead_s,
        holds_pause=line.holds_pause,
    )  # fmt: skip


def _timed_words(model: Model, line: Line, take: Take, extent: tuple[int, int]) -> Iterator[TimedWord]:
    """The words of a take whose frames are known, with their times in the part ``extent`` of its sound."""
    rate = model.audio.sample_rate
    for word, span in zip(line.words, _meeting(take.spans or ()), strict=take.spans is not None):
        start, end = (min(max(frame * model.code_samples, extent[0]), extent[1]) - extent[0] for frame in span)
        yield TimedWord(word, start / rate, end / rate)


def _meeting(spans: Sequence[tuple[int, int]]) -> list[tuple[float, float]]:
    """The ``spans`` of words in frames; two spans with a single frame between them meet in its middle.

    That frame belongs to the space, but there is no pause: with this, half of the words start and end within 14 ms of
    where an aligner hears them, without it within 32 ms (docs/speaking.md#timestamps).
    """
    meeting: list[tuple[float, float]] = []
    for start, end in spans:
        if meeting and start - meeting[-1][1] == 1:
            meeting[-1] = (meeting[-1][0], start - 0.5)
            meeting.append((start - 0.5, end))
        else:
            meeting.append((start, end))
    return meeting


class Drawing(NamedTuple):
    """The arguments of ``generate``, with a row for each candidate of each job."""

    prompts: list[list[int]]
    grammar: torch.Tensor | Reading
    limits: list[int]
    seeds: list[int]


def plan_drawing(model: Model, jobs: Sequence[Job], candidates: int, speed: float = 1.0) -> Drawing:
    """The ``Drawing`` of ``jobs``; the candidates of a job are neighbouring rows.

    Raises:
        ConfigError: another ``speed`` than 1, of a model that does not read its text in place.
    """
    reads = model.vocabulary.config.reads
    rows = [job for job in jobs for _ in range(candidates)]
    prompts = [_prompt(model, row) for row in rows]
    prompt_steps = map(model.vocabulary.count_steps, prompts)
    limits = [_limit(model, row, steps) for row, steps in zip(rows, prompt_steps, strict=True)]
    seeds = [bounds.derived_seed(job.seed + number * _TAKE_STRIDE) for job in jobs for number in range(candidates)]
    if speed != 1.0 and not reads:
        raise ConfigError(f"speed {speed:g}: model {model.name} does not read its text in place, so use 1")
    grammar = _reading(model, [row.line for row in rows], speed) if reads else speech_grammar(model.vocabulary)
    return Drawing(prompts, grammar, limits, seeds)


def draw(model: Model, jobs: Sequence[Job], settings: Settings, watch: Stopwatch) -> list[Take]:
    """One take of each job: the clearest of its candidates. All candidates of all jobs are drawn in one batch.

    With ``settings.batch`` above 1 they are drawn in batches of at most so many jobs, and no job changes a bit of another one.
    """
    if settings.batch <= 1:
        return _draw_together(model, jobs, settings, watch, None)
    takes: dict[int, Take] = {}
    for batch, shape in _batches(model, jobs, settings.batch):
        drawn = _draw_together(model, [jobs[i] for i in batch], settings, watch, shape)
        for i, take in zip(batch, drawn, strict=True):
            takes.setdefault(i, take)
    return [takes[i] for i in range(len(jobs))]


def _batches(model: Model, jobs: Sequence[Job], size: int) -> Iterator[tuple[list[int], Shape | None]]:
    """The numbers of the jobs in batches of ``size``, and the shape of each batch.

    The native step computes each row by itself, so its batches may have any shape, and jobs of one length lie together. Elsewhere the
    last bits of a row depend on the shape. So all batches have ``size`` rows, for which a job may stand several times, and the steps
    of their prompts and of all together are multiples of units.
    """
    if is_native(model.gpt):
        ordered = sorted(range(len(jobs)), key=lambda i: -jobs[i].line.predicted_s)
        yield from ((ordered[start : start + size], None) for start in range(0, len(ordered), size))
        return
    longest, shapes = model.gpt.config.max_tokens, dict[Shape, list[int]]()
    for i, job in enumerate(jobs):
        steps = model.vocabulary.count_steps(_prompt(model, job))
        whole = steps + _limit(model, job, steps)
        shape = Shape(min(_rounded(steps, _PROMPT_STEPS), longest), min(_rounded(whole, _ROOM_STEPS), longest))
        shapes.setdefault(shape, []).append(i)
    for shape, members in shapes.items():
        for start in range(0, len(members), size):
            some = members[start : start + size]
            yield some + some[-1:] * (size - len(some)), shape


def _rounded(steps: int, unit: int) -> int:
    return -(-steps // unit) * unit


def _limit(model: Model, job: Job, prompt_steps: int) -> int:
    """The most new steps of a job whose prompt has ``prompt_steps``."""
    return min(model.room.budget(job.line), model.gpt.config.max_tokens - prompt_steps)


def _prompt(model: Model, job: Job) -> list[int]:
    reads = model.vocabulary.config.reads
    open_sequence = model.vocabulary.read_prompt if reads else model.vocabulary.speak_prompt
    return open_sequence(job.voice.codes, job.line.tokens)


def _draw_together(
    model: Model, jobs: Sequence[Job], settings: Settings, watch: Stopwatch, shape: Shape | None
) -> list[Take]:
    count = settings.candidates
    with watch.time("gpt"):
        plan = plan_drawing(model, jobs, count, settings.speed)
        drawn = generate(model.gpt, *plan, settings.sampling, shape=shape)
    lines = [job.line for job in jobs for _ in range(count)]
    takes = [
        make_take(model.vocabulary, line.pieces, ids, limit)
        for line, ids, limit in zip(lines, drawn, plan.limits, strict=True)
    ]
    if count == 1:
        return takes
    with watch.time("rank"):
        return [clearest(model, job.line, takes[i * count : (i + 1) * count]) for i, job in enumerate(jobs)]


def _reading(model: Model, lines: Sequence[Line], speed: float) -> Reading:
    """The grammar by which ``lines`` are read in order at ``speed``, each symbol as long as the model's limits say.

    A slow reader holds each symbol longer. A fast one holds it no shorter: with that, fewer words are wrong.
    """
    limits, rate = model.limits, model.code_rate
    line_holds = [holds(line.pieces, limits.least_seconds, rate / min(1.0, speed)) for line in lines]
    longest, urge = round(limits.longest_symbol_s * rate / speed), limits.urge_per_log_speed * math.log(speed)
    return Reading(model.vocabulary, [line.tokens for line in lines], longest, line_holds, model.device, urge)
