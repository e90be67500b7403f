"""Speech in a stream: the first codes of a line become sound while the rest of the line is still drawn.

A line is made in sections. A section becomes sound as soon as the codes of its right context are drawn. The seams are
cross-faded over one code frame, in which both sections say nearly the same. What was played cannot be drawn again: a
line of which anything was heard has no second try, and what it left unsaid is said at the end, in ``faults``.
"""

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from inspect import GEN_RUNNING, getgeneratorstate

import torch

from triforce_tts import bounds
from triforce_tts.audio.edit import FADE_S, Trimmer, faded
from triforce_tts.errors import ConfigError
from triforce_tts.sampling.diffusion import utterance_noise
from triforce_tts.sampling.takes import make_take
from triforce_tts.sampling.tokens import draw_steps
from triforce_tts.sequences import END, PAD
from triforce_tts.speech import Spoken, list_faults
from triforce_tts.synthesis.model import Model
from triforce_tts.synthesis.settings import Settings
from triforce_tts.synthesis.speaking import Job, best_try, make_spoken, next_try, plan_drawing, text_end
from triforce_tts.synthesis.stopwatch import Stopwatch
from triforce_tts.synthesis.vocoding import Section, vocode_sections

# The code frames of each section of a line, and of the context after each; the last number holds for all further
# sections. The first section is short, so that the first sound comes soon. Longer sections repeat less context
# (docs/speaking.md).
_SIZES, _LOOKAHEAD = (8, 4, 6, 8, 12, 16, 24), (4, 4, 4, 4, 6)
_CONTEXT = 8  # code frames of context before a section
_OVERLAP = 1  # two sections are cross-faded over so many code frames


class _Closed(Exception):
    """The stream was closed while it made a chunk."""


class SpeechStream(Iterator[torch.Tensor]):
    """The sound of a text in chunks, samples [n] float32, each as soon as it is ready.

    ``close()`` stops the drawing, also while another thread waits for a chunk: that thread then comes to the end of the
    chunks. ``lines`` and ``faults`` hold what is known of the lines that are finished.
    """

    def __init__(
        self, model: Model, jobs: Sequence[Job], settings: Settings, watch: Stopwatch, left_out: tuple[str, ...]
    ) -> None:
        if settings.candidates > 1:
            raise ConfigError(f"candidates is {settings.candidates}: a stream cannot choose between readings; use 1")
        self.sample_rate, self.lines, self.left_out = model.audio.sample_rate, list[Spoken](), left_out
        self._closed = threading.Event()
        self._turn = threading.RLock()  # a generator runs in one thread at a time
        self._chunks = self._speak(model, jobs, settings, watch)

    def __next__(self) -> torch.Tensor:
        """The next chunk."""
        with self._turn:
            try:
                return next(self._chunks)
            except _Closed:
                raise StopIteration from None

    def close(self) -> None:
        """Stop: no more codes are drawn, and none become sound."""
        self._closed.set()
        with self._turn:
            # The handler of a signal may call this while its own thread makes a chunk, which then ends by itself.
            if getgeneratorstate(self._chunks) != GEN_RUNNING:
                self._chunks.close()

    @property
    def faults(self) -> list[str]:
        """The faults so far, as in ``Speech.faults``; the list is complete when the stream has ended."""
        return list_faults(self.lines, self.left_out)

    def _speak(
        self, model: Model, jobs: Sequence[Job], settings: Settings, watch: Stopwatch
    ) -> Generator[torch.Tensor, None, None]:
        for number, job in enumerate(jobs):
            is_last = number == len(jobs) - 1
            if lead := round(job.line.lead_s * self.sample_rate):
                yield torch.zeros(lead)
            line = _stream_job(model, job, settings, watch, number == 0, is_last, self._closed)
            self.lines.append((yield from line))
            if (job.line.holds_pause or not is_last) and (pause := round(self.lines[-1].pause_s * self.sample_rate)):
                yield torch.zeros(pause)


def _stream_job(
    model: Model, job: Job, settings: Settings, watch: Stopwatch, is_first: bool, is_last: bool, closed: threading.Event
) -> Generator[torch.Tensor, None, Spoken]:
    """The chunks of one line; another try is made only while no chunk was played. Returns the spoken line."""
    tries: list[Spoken] = []
    for number in range(settings.tries):
        chunks = _stream_take(model, next_try(model, job, number, 1), job.seed, settings, watch, closed)
        spoken = yield from _with_faded_ends(chunks, model.audio.sample_rate, not is_first, not is_last)
        tries.append(replace(spoken, text=job.line.text, tries=number + 1))
        if spoken.complete or len(spoken.samples):
            break
    return best_try(tries)


def _with_faded_ends(
    chunks: Generator[torch.Tensor, None, Spoken], sample_rate: int, at_start: bool, at_end: bool
) -> Generator[torch.Tensor, None, Spoken]:
    """``chunks``, faded at the joints to the neighbouring lines as by ``join``; the length of a fade is held back."""
    hold, tail, begun = 2 * round(FADE_S * sample_rate), torch.zeros(0), False
    try:
        while True:
            tail = torch.cat((tail, next(chunks)))
            if len(tail) > 2 * hold:
                yield faded(tail[:-hold], sample_rate, at_start and not begun, False)
                tail, begun = tail[-hold:], True
    except StopIteration as end:
        spoken: Spoken = end.value
    finally:
        chunks.close()
    if len(tail):
        yield faded(tail, sample_rate, at_start and not begun, at_end)
    return spoken


def _stream_take(
    model: Model, job: Job, noise_seed: int, settings: Settings, watch: Stopwatch, closed: threading.Event
) -> Generator[torch.Tensor, None, Spoken]:
    """The chunks of one try of a line, without silence at its ends. Returns the spoken line.

    Raises:
        _Closed: ``closed`` was set while a step was drawn.
    """
    plan = plan_drawing(model, [job], 1, settings.speed)
    frames = max(0, plan.limits[0]) // model.vocabulary.frame_steps
    vocoder = _Vocoder(model, job, noise_seed, settings, watch, frames)
    trimmer = Trimmer(model.audio.sample_rate)
    ids: list[int] = []
    samples, end = torch.zeros(0), 0  # what was made of the codes, and how much of it belongs to the text
    with closing(draw_steps(model.gpt, *plan, settings.sampling)) as steps:
        running = True
        while running:
            if closed.is_set():
                raise _Closed
            with watch.time("gpt"):
                step = next(steps, None)
                drawn = [] if step is None else [i for i in step.ids[0].tolist() if i not in (END, PAD)]
                running = step is not None and bool(step.running[0])
            ids += drawn
            if (sound := vocoder.extend(model.vocabulary.codes(ids), is_end=not running)) is not None:
                samples, passed = torch.cat((samples, sound)), end
                take = make_take(model.vocabulary, job.line.pieces, ids, plan.limits[0])
                end, is_followed = text_end(model, take, samples)
                running = running and not is_followed
                if not running and not is_followed:
                    end = len(samples)
                chunk = trimmer.extend(samples[passed:end], is_end=not running)
                if len(chunk):
                    yield chunk
    take = make_take(model.vocabulary, job.line.pieces, ids, plan.limits[0])
    return make_spoken(model, job.line, take, trimmer.samples, (trimmer.start, trimmer.end))


class _Vocoder:
    """Makes sound of the codes of one line, section by section."""

    def __init__(
        self, model: Model, job: Job, noise_seed: int, settings: Settings, watch: Stopwatch, frames: int
    ) -> None:
        self._model, self._voice, self._settings, self._watch = model, job.voice, settings, watch
        self._seed = bounds.derived_seed(noise_seed)
        self._noise = self._noise_of(frames)  # the noise of the longest line that is possible
        self._done = self._sections = 0  # the code frames that already became sound, and the number of sections
        self._turns: dict[int, float] = {}  # where the pulses of the line stand
        self._tail = torch.zeros(0)  # the sound of the last section beyond its end, for the cross-fade

    def extend(self, codes: torch.Tensor, is_end: bool) -> torch.Tensor | None:
        """The sound [n] of the next section of a line whose ``codes`` [frames, groups] are drawn so far, if it is ready.

        The last section is all that is left.
        """
        size, lookahead = (row[min(self._sections, len(row) - 1)] for row in (_SIZES, _LOOKAHEAD))
        end = len(codes) if is_end else self._done + size
        if end == self._done or (not is_end and end + lookahead > len(codes)):
            return None
        if is_end:
            self._noise = self._noise_of(end)
        scale, first = self._model.dvae.config.downsampling, max(0, self._done - _CONTEXT)
        after = min(len(codes), end + lookahead)
        section = Section(
            codes[first:after], self._voice.speaker, self._noise[first * scale : after * scale], self._done - first,
            min(len(codes), end + _OVERLAP) - first, self._done, self._turns, self._voice.timbre,
        )  # fmt: skip
        (sound,) = vocode_sections(self._model, [section], self._settings, self._watch)
        sound = _cross_faded(self._tail, sound)
        own = (end - self._done) * self._model.code_samples
        self._tail, self._done, self._sections = sound[own:], end, self._sections + 1
        return sound[:own]

    def _noise_of(self, frames: int) -> torch.Tensor:
        width = self._model.diffusion.target.width
        return utterance_noise([self._seed], [frames * self._model.dvae.config.downsampling], width)[0]


def _cross_faded(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """``after`` [n], which begins at the same time as ``before`` [m <= n] and takes over from it within m samples."""
    rise = (torch.arange(len(before)) + 0.5) / max(1, len(before))
    return torch.cat((before * (1 - rise) + after[: len(before)] * rise, after[len(before) :]))
