"""Lines to codes and sound: all lines of a batch, and all candidates of each, are drawn together.

Whether a line is complete is known only when it can be heard: every word needs a sound. So this file draws codes, has
them made sound, and draws again what was not complete. A line's speech does not depend on the lines beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from triforce_tts import bounds
from triforce_tts.audio.edit import trim_silence
from triforce_tts.sampling.takes import Take, make_take, unsaid
from triforce_tts.sampling.tokens import Reading, generate, speech_grammar
from triforce_tts.speech import Spoken
from triforce_tts.synthesis.hearing import clearest
from triforce_tts.synthesis.model import Model
from triforce_tts.synthesis.script import Line, closed
from triforce_tts.synthesis.settings import Settings
from triforce_tts.synthesis.stopwatch import Stopwatch
from triforce_tts.synthesis.vocoding import Utterance, vocode
from triforce_tts.text.pace import holds
from triforce_tts.voices import Voice

# Seeds lie far apart: no line of one seed shares its random numbers with a line of the next seed, and no take of a
# line shares them with a take of another line.
_LINE_STRIDE = 1_000_003
_TAKE_STRIDE = 1_000_000_007
_PROMPT_STEPS = 32  # prompts of a batch with a shape of its own are counted in units of so many steps


@dataclass(frozen=True, eq=False)
class Job:
    """A line to be spoken."""

    line: Line
    voice: Voice
    seed: int  # of its first take, and of the noise of stage 3


def make_jobs(lines: Sequence[Line], voice: Voice, seed: int) -> list[Job]:
    """The jobs of the ``lines`` of one text, each with a seed of its own."""
    return [Job(line, voice, seed * _LINE_STRIDE + number) for number, line in enumerate(lines)]


def speak_jobs(model: Model, jobs: Sequence[Job], settings: Settings, watch: Stopwatch) -> list[Spoken]:
    """Each line as its first complete try said it; without one, as the try said it that lacks least.

    With ``settings.batch`` the samples of a line do not depend on the other lines, to the last bit. Lines that are complete are not drawn again. Each try has the next seeds; from the second on, a line that ends
    without a mark gets a full stop.
    """
    if settings.batch == 1 and len(jobs) > 1:
        return [spoken for job in jobs for spoken in speak_jobs(model, [job], settings, watch)]
    tries: list[list[Spoken]] = [[] for _ in jobs]
    for number in range(settings.tries):
        open_jobs = [i for i, spoken in enumerate(tries) if not (spoken and spoken[-1].complete)]
        if not open_jobs:
            break
        tried = [_next_try(model, jobs[i], number, settings.candidates) for i in open_jobs]
        noise = [jobs[i].seed for i in open_jobs]
        for i, spoken in zip(open_jobs, _speak_once(model, tried, noise, settings, watch), strict=True):
            tries[i].append(replace(spoken, text=jobs[i].line.text, tries=number + 1))
    return [_best_try(spoken) for spoken in tries]


def _next_try(model: Model, job: Job, number: int, candidates: int) -> Job:
    """What try ``number`` of a job draws."""
    line = closed(job.line, model.tokenizer, model.room) if number else job.line
    return replace(job, line=line, seed=job.seed + number * candidates * _TAKE_STRIDE)


def _best_try(tries: Sequence[Spoken]) -> Spoken:
    if tries[-1].complete:
        return tries[-1]
    best = min(tries, key=lambda spoken: (len(spoken.unsaid), not spoken.ended))
    return replace(best, tries=len(tries))


def _speak_once(
    model: Model, jobs: Sequence[Job], noise: Sequence[int], settings: Settings, watch: Stopwatch
) -> list[Spoken]:
    """Each line in one try; ``noise`` are the seeds of stage 3."""
    takes = draw(model, jobs, settings, watch)
    filled = [i for i, take in enumerate(takes) if len(take.codes)]
    utterances = [Utterance(takes[i].codes, jobs[i].voice.speaker, noise[i]) for i in filled]
    together = [[utterance] for utterance in utterances] if settings.batch else [utterances]
    waves = [wave for some in together for wave in vocode(model, some, settings, watch)]
    sounds = dict(zip(filled, waves, strict=True))
    return [
        _spoken(model, job.line, take, sounds.get(i, torch.zeros(0)))
        for i, (job, take) in enumerate(zip(jobs, takes, strict=True))
    ]


def _spoken(model: Model, line: Line, take: Take, samples: torch.Tensor) -> Spoken:
    """A take and its sound, silence at its ends cut, with what it leaves unsaid."""
    rate = model.audio.sample_rate
    missing = tuple(unsaid(take, line.words, samples, model.code_samples, rate))
    cut = trim_silence(samples, rate)
    return Spoken(
        line.text, cut if len(cut) else samples, take.codes, take.ended, line.predicted_s, line.pause_s, line.source,
        missing,
    )  # fmt: skip


def draw(model: Model, jobs: Sequence[Job], settings: Settings, watch: Stopwatch) -> list[Take]:
    """One take of each job: the clearest of its candidates. All candidates of all jobs are drawn in one batch.

    With ``settings.batch`` above 1 they are drawn in batches of so many jobs. Short ones are filled up, so that all have one shape.
    """
    if settings.batch <= 1:
        return _draw_together(model, jobs, settings, watch, None)
    rooms: dict[int, list[int]] = {}
    for i, job in enumerate(jobs):
        steps = model.vocabulary.count_steps(_prompt(model, job))
        rooms.setdefault(min(-(-steps // _PROMPT_STEPS) * _PROMPT_STEPS, model.gpt.config.max_tokens), []).append(i)
    takes: dict[int, Take] = {}
    for room, members in rooms.items():
        for start in range(0, len(members), settings.batch):
            some = members[start : start + settings.batch]
            filled = some + some[-1:] * (settings.batch - len(some))
            drawn = _draw_together(model, [jobs[i] for i in filled], settings, watch, room)
            takes.update(zip(some, drawn[: len(some)], strict=True))
    return [takes[i] for i in range(len(jobs))]


def _prompt(model: Model, job: Job) -> list[int]:
    reads = model.vocabulary.config.reads
    open_sequence = model.vocabulary.read_prompt if reads else model.vocabulary.speak_prompt
    return open_sequence(job.voice.codes, job.line.tokens)


def _draw_together(
    model: Model, jobs: Sequence[Job], settings: Settings, watch: Stopwatch, prompt_steps: int | None
) -> list[Take]:
    count, reads = settings.candidates, model.vocabulary.config.reads
    rows = [job for job in jobs for _ in range(count)]
    prompts = [_prompt(model, row) for row in rows]
    longest, room = model.gpt.config.max_tokens, model.room
    taken = map(model.vocabulary.count_steps, prompts)
    limits = [min(room.budget(row.line), longest - steps) for row, steps in zip(rows, taken, strict=True)]
    seeds = [bounds.derived_seed(job.seed + number * _TAKE_STRIDE) for job in jobs for number in range(count)]
    with watch.time("gpt"):
        grammar = _reading(model, [row.line for row in rows]) if reads else speech_grammar(model.vocabulary)
        drawn = generate(model.gpt, prompts, grammar, limits, seeds, settings.sampling, None, prompt_steps)
    takes = [
        make_take(model.vocabulary, row.line.pieces, ids, limit)
        for row, ids, limit in zip(rows, drawn, limits, strict=True)
    ]
    if count == 1:
        return takes
    with watch.time("rank"):
        return [clearest(model, job.line, takes[i * count : (i + 1) * count]) for i, job in enumerate(jobs)]


def _reading(model: Model, lines: Sequence[Line]) -> Reading:
    """The grammar by which ``lines`` are read in order, each symbol as long as the model's limits say."""
    limits, rate = model.limits, model.code_rate
    held = [holds(line.pieces, limits.least_seconds, rate) for line in lines]
    longest = round(limits.longest_symbol_s * rate)
    return Reading(model.vocabulary, [line.tokens for line in lines], longest, held, model.device)
