"""Lines that are spoken together sound like each line alone; only incomplete lines are tried again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.conftest import computed_again
from tests.triforce_tts.synthesis.conftest import MakeModel
from triforce_tts import native
from triforce_tts.errors import ConfigError
from triforce_tts.models.gpt import GPT
from triforce_tts.sampling import stepping, tokens
from triforce_tts.sampling.nucleus import TokenSampling
from triforce_tts.sampling.takes import Take
from triforce_tts.sampling.tokens import Reading, Shape, generate
from triforce_tts.speech import Spoken
from triforce_tts.synthesis import Settings, Stopwatch, speaking
from triforce_tts.synthesis.model import Model
from triforce_tts.synthesis.script import make_lines, make_script
from triforce_tts.synthesis.speaking import Choice, Job, draw, make_jobs, make_spoken, plan_drawing, speak_jobs
from triforce_tts.text.pace import Hold
from triforce_tts.voices import Voice

pytestmark = pytest.mark.usefixtures("one_thread")

TEXT = "The end. A cat came in. It sat down. Was it a big one? It was. Why? Six old hats and a red mat. He saw them on the way home."
WARM = Settings(sampling=TokenSampling(1.0, 0.95), phase_iterations=4, tries=2)


def jobs_of(model: Model, voice: Voice) -> list[Job]:
    jobs = make_jobs(make_lines(TEXT, model.tokenizer, model.room), voice, seed=3)
    assert len(jobs) == 8
    return jobs


@pytest.mark.parametrize(("target", "reads"), [("magnitude", True), ("complex", False)])
def test_eight_lines_together_are_each_alone(make_model: MakeModel, voice: Voice, target: str, reads: bool) -> None:
    model = make_model(target, reads)
    jobs = jobs_of(model, voice)
    together = speak_jobs(model, jobs, WARM, Stopwatch())
    assert len({len(spoken.codes) for spoken in together}) > 3
    for job, spoken in zip(jobs, together, strict=True):
        (alone,) = speak_jobs(model, [job], WARM, Stopwatch())
        assert torch.equal(spoken.codes, alone.codes)
        assert torch.allclose(spoken.samples, alone.samples, atol=1e-4)
        for spoken_part, alone_part in ((spoken, alone), (alone, spoken)):
            assert (spoken_part.text, spoken_part.ended, spoken_part.unsaid, spoken_part.tries, spoken_part.source) == (
                alone_part.text, alone_part.ended, alone_part.unsaid, alone_part.tries, alone_part.source,
            )  # fmt: skip


def test_candidates_of_several_lines_are_ranked_line_by_line(make_model: MakeModel, voice: Voice) -> None:
    model, settings = make_model("magnitude", True), replace(WARM, candidates=3)
    jobs = jobs_of(model, voice)[:3]
    together = draw(model, jobs, settings, Stopwatch())
    for job, take in zip(jobs, together, strict=True):
        candidates = [
            draw(model, [replace(job, seed=job.seed + n * 1_000_000_007)], WARM, Stopwatch())[0] for n in range(3)
        ]
        assert any(torch.equal(take.codes, candidate.codes) for candidate in candidates)
        (alone,) = draw(model, [job], settings, Stopwatch())
        assert torch.equal(take.codes, alone.codes)


def test_of_several_takes_the_best_is_kept_also_where_the_first_is_complete(
    make_model: MakeModel, voice: Voice
) -> None:
    model = make_model("magnitude", True)
    (job, *_) = jobs_of(model, voice)
    settings = replace(WARM, tries=1)
    singles = [
        speak_jobs(model, [replace(job, seed=job.seed + n * 1_000_000_007)], settings, Stopwatch())[0] for n in range(3)
    ]
    ranked: list[int] = []

    def rank(spoken: Spoken, sample_rate: int) -> tuple[float, ...]:
        ranked.append(sample_rate)
        return (-len(spoken.samples),)

    (best,) = speak_jobs(model, [job], settings, Stopwatch(), Choice(3, rank, ("length",)))
    assert ranked == [model.audio.sample_rate] * 3
    assert best.tries == 3
    assert len(best.samples) >= len(singles[0].samples)
    (first,) = speak_jobs(model, [job], settings, Stopwatch())
    assert first.tries == 1


class Recorded(Reading):
    """A reading that also keeps the logits from which it draws."""

    def draw(self, logits: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling) -> torch.Tensor:
        self.seen = [*getattr(self, "seen", []), logits.clone()]
        return super().draw(logits, uniforms, sampling)


def test_logits_of_a_batch_are_those_of_each_alone(make_model: MakeModel) -> None:
    model = make_model("magnitude", True)
    texts = [[3, 0, 5], [1], [2, 2, 4, 1, 0, 0], [7] * 12]
    rng = torch.Generator().manual_seed(1)
    prompts = [model.vocabulary.read_prompt(torch.randint(0, 60, (4, 2), generator=rng), text) for text in texts]

    def logits_of(rows: Sequence[int]) -> tuple[list[list[int]], list[torch.Tensor]]:
        held = [[Hold(True, 1)] * len(texts[row]) for row in rows]
        rules = Recorded(model.vocabulary, [texts[row] for row in rows], 5, held)
        chosen = [prompts[row] for row in rows]
        return generate(model.gpt, chosen, rules, [100] * len(rows), list(rows), WARM.sampling), rules.seen

    drawn, seen = logits_of(range(4))
    for row in range(4):
        (alone,), seen_alone = logits_of([row])
        assert drawn[row] == alone
        for step in range(len(alone)):
            assert torch.allclose(seen[step][row], seen_alone[step][0], atol=1e-5)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the native operators out."""
    monkeypatch.setattr(native, "available", lambda: False)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("reads", [True, False])
def test_in_a_fixed_shape_the_other_lines_change_no_bit(make_model: MakeModel, voice: Voice, reads: bool) -> None:
    model = make_model("magnitude", reads)
    jobs = jobs_of(model, voice)
    settings = replace(WARM, batch=3, candidates=2 if reads else 1, tries=1)
    rng = torch.Generator().manual_seed(5)
    first: dict[int, torch.Tensor] = {}
    for count in (8, 5, 1):
        chosen = torch.randperm(len(jobs), generator=rng)[:count].tolist()
        for row, spoken in zip(
            chosen, speak_jobs(model, [jobs[i] for i in chosen], settings, Stopwatch()), strict=True
        ):
            assert torch.equal(first.setdefault(row, spoken.samples), spoken.samples)
    (alone,) = speak_jobs(model, jobs[:1], replace(settings, batch=1), Stopwatch())
    assert torch.equal(alone.samples, first[0])  # equal codes, and each line is made sound by itself


@pytest.mark.skipif(not native.available(), reason="the native operators were not built ('make ext')")
@pytest.mark.parametrize(("reads", "candidates"), [(True, 1), (True, 2), (False, 1)])
def test_native_batches_of_any_size_give_the_bytes_of_each_line_alone(
    make_model: MakeModel, voice: Voice, monkeypatch: pytest.MonkeyPatch, reads: bool, candidates: int
) -> None:
    model = make_model("magnitude", reads)
    jobs = jobs_of(model, voice)
    settings = replace(WARM, candidates=candidates, tries=3)
    rows: list[int] = []
    usual = generate

    def counted(gpt: GPT, prompts: list[list[int]], *words: Any, **options: Any) -> list[list[int]]:
        rows.append(len(prompts))
        return usual(gpt, prompts, *words, **options)

    def odd_ones(take: Take, *_: object) -> list[str]:
        return ["word"] if int(take.codes.sum()) % 2 else []

    monkeypatch.setattr(speaking, "generate", counted)
    monkeypatch.setattr(speaking, "unsaid", odd_ones)
    alone = [speak_jobs(model, [job], replace(settings, batch=1), Stopwatch())[0] for job in jobs]
    assert max(spoken.tries for spoken in alone) > 1, "no line was tried again"
    drawn = sum(rows)
    rng = torch.Generator().manual_seed(5)
    for size in (2, 3, 8):
        order = torch.randperm(len(jobs), generator=rng).tolist()
        rows.clear()
        together = speak_jobs(model, [jobs[i] for i in order], replace(settings, batch=size), Stopwatch())
        assert max(rows) == size * candidates
        assert sum(rows) == drawn, "rows were drawn that nobody needs"
        for i, spoken in zip(order, together, strict=True):
            assert torch.equal(spoken.codes, alone[i].codes)
            assert torch.equal(spoken.samples, alone[i].samples)
            assert (spoken.tries, spoken.unsaid, spoken.words) == (alone[i].tries, alone[i].unsaid, alone[i].words)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("is_recorded", [False, True])
def test_logits_in_a_fixed_shape_are_equal_to_the_last_bit(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch, is_recorded: bool
) -> None:
    """Of the modules, and of a recorded step, which looks at the whole cache; the rows beside one have other limits."""
    model = make_model("magnitude", True)
    if is_recorded:
        monkeypatch.setattr(stepping, "record", computed_again)
        monkeypatch.setattr(tokens, "make_stepper", stepping.GraphStepper)
    texts = [[3, 0, 5], [1], [2, 2, 4, 1, 0, 0], [7] * 12, [6, 6, 1], [0, 4]]
    rng = torch.Generator().manual_seed(1)
    prompts = [model.vocabulary.read_prompt(torch.randint(0, 60, (4, 2), generator=rng), text) for text in texts]
    first: dict[int, list[torch.Tensor]] = {}
    for rows in ([0, 1, 2, 3], [3, 2, 1, 0], [4, 0, 5, 5], [2, 2, 2, 2], [5, 4, 3, 1]):
        rules = Recorded(model.vocabulary, [texts[row] for row in rows], 5)
        limits = [60 - 5 * row for row in rows]
        shape = Shape(48, 128)
        drawn = generate(model.gpt, [prompts[row] for row in rows], rules, limits, rows, WARM.sampling, shape=shape)
        for place, row in enumerate(rows):
            seen = [logits[place] for logits in rules.seen[: len(drawn[place])]]
            for before, after in zip(first.setdefault(row, seen), seen, strict=True):
                assert torch.equal(before, after)


def test_only_incomplete_lines_are_drawn_again(
    make_model: MakeModel, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model("magnitude", True)
    jobs = jobs_of(model, voice)[1:4]
    # the number of the try in which each line ends by itself
    endings = {jobs[0].seed: 1, jobs[1].seed: 3, jobs[2].seed: 9}
    batches: list[list[int]] = []
    usual = speaking.draw

    def drawn(model: Model, tried: Sequence[Job], *words: Any) -> list[Take]:
        batches.append([job.seed for job in tried])
        takes = usual(model, tried, *words)
        return [
            replace(take, ended=any(job.seed == seed + (end - 1) * 1_000_000_007 for seed, end in endings.items()))
            for job, take in zip(tried, takes, strict=True)
        ]

    monkeypatch.setattr(speaking, "draw", drawn)
    monkeypatch.setattr(speaking, "unsaid", lambda *_: [])
    spoken = speak_jobs(model, jobs, replace(WARM, tries=3), Stopwatch())
    first, second, third = (job.seed for job in jobs)
    stride = 1_000_000_007
    assert batches == [
        [first, second, third],
        [second + stride, third + stride],
        [second + 2 * stride, third + 2 * stride],
    ]
    assert [line.complete for line in spoken] == [True, True, False]
    assert [line.tries for line in spoken] == [1, 3, 3]
    assert [line.text for line in spoken] == [job.line.text for job in jobs]


def test_no_lines_are_no_speech(make_model: MakeModel) -> None:
    assert speak_jobs(make_model("magnitude", True), [], WARM, Stopwatch()) == []


def test_words_have_the_times_of_their_frames(make_model: MakeModel, voice: Voice) -> None:
    """A word's frames as the grammar drew them, in seconds of the sound that is left after its ends were cut."""
    model = make_model("complex", True)
    (line,) = make_lines("It sat down.", model.tokenizer, model.room)
    frame, rate = model.code_samples, model.audio.sample_rate
    take = Take(torch.zeros(20, 2), True, ((2, 5), (5, 5), (9, 20)))
    samples = torch.randn(20 * frame, generator=torch.Generator().manual_seed(0))
    spoken = make_spoken(model, line, take, samples, (3 * frame, 18 * frame))
    assert spoken.words == (
        ("It", 0.0, 2 * frame / rate), ("sat", 2 * frame / rate, 2 * frame / rate), ("down", 6 * frame / rate, 15 * frame / rate),
    )  # fmt: skip
    close = replace(take, spans=((2, 5), (6, 6), (6, 20)))
    words = make_spoken(model, line, close, samples, (0, len(samples))).words
    assert [(word.start_s * rate / frame, word.end_s * rate / frame) for word in words] == [(2, 5.5), (5.5, 6), (6, 20)]
    assert make_spoken(model, line, replace(take, spans=None), samples, (0, len(samples))).words == ()


def test_parts_of_a_divided_sentence_do_not_begin_one(make_model: MakeModel) -> None:
    model = make_model("complex", True)
    text = "It sat. " + "A very big cat came in from the road, " * 6 + "and sat. It sat."
    lines = make_lines(text, model.tokenizer, model.room)
    begins = [line.begins for line in lines]
    assert begins == [True, True, *[False] * (len(lines) - 3), True]
    assert len(lines) > 4


def test_speed_goes_to_the_grammar_and_the_natural_pauses(make_model: MakeModel, voice: Voice) -> None:
    """At 1.25: the limit is four fifths, the holds stay, the urge is that of the model's limits, asked pauses stay."""
    model = make_model("complex", True)
    limits = model.limits.model_copy(
        update={"urge_per_log_speed": 8.0, "longest_symbol_s": 1.0, "least_seconds": {"T": 0.4}}
    )
    model = replace(model, limits=limits)
    lines = make_script("It sat. [pause 2s] Why? No.", model.tokenizer, model.room)
    usual, fast = (make_jobs(lines, voice, 1, speed) for speed in (1.0, 1.25))
    assert [job.line.pause_s for job in usual] == [2.0, 0.35, 0.35]
    assert [job.line.pause_s for job in fast] == pytest.approx([2.0, 0.28, 0.28])
    assert fast[0].line.predicted_s == pytest.approx(0.8 * usual[0].line.predicted_s)
    for speed, urge, longest, hold in ((1.0, 0.0, 31, 12), (1.25, 8 * 0.2231, 25, 12), (0.8, -8 * 0.2231, 39, 16)):
        grammar = plan_drawing(model, usual, 1, speed).grammar
        assert isinstance(grammar, Reading)
        assert grammar.urge == pytest.approx(urge, abs=1e-3)
        assert (grammar.longest, int(grammar.holds.max())) == (longest, hold)
    with pytest.raises(ConfigError, match=r"speed 1.25: model tiny does not read its text in place, so use 1"):
        draw(make_model("complex", False), usual, replace(WARM, speed=1.25), Stopwatch())
    with pytest.raises(ConfigError, match=r"speed 1.3: expected a number from 0.8 to 1.25"):
        Settings(speed=1.3)


def test_a_faster_reader_takes_less_time(make_model: MakeModel, voice: Voice) -> None:
    model = make_model("complex", True)
    jobs = jobs_of(model, voice)
    frames = [
        sum(len(take.codes) for take in draw(model, jobs, replace(WARM, speed=speed), Stopwatch()))
        for speed in (0.8, 1.0, 1.25)
    ]
    assert frames[0] > 1.1 * frames[1] > 1.2 * frames[2]
