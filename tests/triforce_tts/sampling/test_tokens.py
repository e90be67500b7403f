import pytest
import torch

from tests.conftest import next_logits, scrambled
from tests.triforce_tts.sampling.waits import Waits
from triforce_tts import native
from triforce_tts.models.gpt import GPT, GPTConfig, KVCache
from triforce_tts.sampling.nucleus import TokenSampling, pick
from triforce_tts.sampling.tokens import Cycle, Reading, draw_steps, generate, speech_grammar, text_grammar
from triforce_tts.sequences import END, Vocabulary, VocabularyConfig
from triforce_tts.text.pace import Hold

pytestmark = pytest.mark.usefixtures("one_thread")

GREEDY = TokenSampling(temperature=0.0)
WARM = TokenSampling(temperature=1.0, top_p=0.95)


def prompts_of(vocabulary: Vocabulary, lengths: list[int]) -> list[list[int]]:
    """Prompts of unequal length: voice codes, text."""
    rng = torch.Generator().manual_seed(3)
    prompts = []
    for length in lengths:
        voice = torch.randint(0, vocabulary.config.n_codes, (length, 2), generator=rng)
        text = torch.randint(0, vocabulary.config.n_text, (length + 1,), generator=rng).tolist()
        prompts.append(vocabulary.speak_prompt(voice, text))
    return prompts


def test_the_grammar_of_speech(tiny_vocabulary: Vocabulary) -> None:
    """5 special ids, 6 of text, then 8 of each group."""
    allowed = speech_grammar(tiny_vocabulary)
    assert allowed.shape == (2, 27)
    assert allowed[0].nonzero().flatten().tolist() == [END, *range(11, 19)]
    assert allowed[1].nonzero().flatten().tolist() == list(range(19, 27))


def test_the_grammar_of_text(tiny_vocabulary: Vocabulary) -> None:
    assert text_grammar(tiny_vocabulary)[0].nonzero().flatten().tolist() == [END, *range(5, 11)]


@pytest.mark.parametrize("sampling", [GREEDY, TokenSampling(temperature=3.0, top_p=1.0)])
def test_groups_alternate_and_speech_ends_between_frames(
    tiny_gpt: GPT, tiny_vocabulary: Vocabulary, sampling: TokenSampling
) -> None:
    count = 24
    prompts = prompts_of(tiny_vocabulary, [1, 4, 2] * (count // 3))
    outputs = generate(tiny_gpt, prompts, speech_grammar(tiny_vocabulary), [20] * count, list(range(count)), sampling)
    ranges = [tiny_vocabulary.group_range(group) for group in range(2)]
    for output in outputs:
        for place, token in enumerate(output):
            first, last = ranges[place % 2]
            assert first <= token < last
        assert len(output) % 2 == 0
    if sampling is not GREEDY:
        assert {len(output) for output in outputs} > {20}


def test_text_is_made_of_text(tiny_gpt: GPT, tiny_vocabulary: Vocabulary) -> None:
    prompts = [tiny_vocabulary.listen_prompt(torch.full((n, 2), n)) for n in (1, 3, 5, 7)]
    outputs = generate(tiny_gpt, prompts, text_grammar(tiny_vocabulary), [15] * 4, [0] * 4, TokenSampling(2.0, 1.0))
    assert any(outputs)
    for output in outputs:
        assert len(tiny_vocabulary.text_tokens(output)) == len(output)


@torch.no_grad()
def argmax_loop(model: GPT, prompt: list[int], grammar: torch.Tensor, limit: int) -> list[int]:
    """Greedy decoding without a cache."""
    output: list[int] = []
    while len(output) < limit:
        logits = next_logits(model, torch.tensor([prompt + output]))[0, -1]
        token = int(logits.masked_fill(~grammar[len(output) % len(grammar)], float("-inf")).argmax())
        if token == END:
            break
        output.append(token)
    return output


def test_greedy_is_the_argmax_loop_without_a_cache(tiny_gpt: GPT, tiny_vocabulary: Vocabulary) -> None:
    grammar = speech_grammar(tiny_vocabulary)
    prompts, limits = prompts_of(tiny_vocabulary, [1, 6, 3, 2, 4, 5]), [30, 12, 18, 1, 0, 24]
    outputs = generate(tiny_gpt, prompts, grammar, limits, [0] * 6, GREEDY)
    expected = [argmax_loop(tiny_gpt, prompt, grammar, limit) for prompt, limit in zip(prompts, limits, strict=True)]
    assert outputs == expected
    assert len({token for output in outputs for token in output}) > 4


@torch.no_grad()
def test_a_draw_follows_the_uniform_of_its_seed(tiny_gpt: GPT, tiny_vocabulary: Vocabulary) -> None:
    """The same loop without a cache, drawing by ``pick`` from the row's own uniforms."""
    grammar, limit = speech_grammar(tiny_vocabulary), 16
    prompts = prompts_of(tiny_vocabulary, [2, 5])
    for prompt, seed, found in zip(
        prompts, (4, 5), generate(tiny_gpt, prompts, grammar, [limit] * 2, [4, 5], WARM), strict=True
    ):
        uniforms = torch.rand(limit, generator=torch.Generator().manual_seed(seed))
        output: list[int] = []
        for step in range(limit):
            logits = next_logits(tiny_gpt, torch.tensor([prompt + output]))[:, -1]
            token = int(pick(logits.masked_fill(~grammar[step % 2], float("-inf")), uniforms[step : step + 1], WARM))
            if token == END:
                break
            output.append(token)
        assert found == output


def test_sampled_ids_do_not_depend_on_the_batch(tiny_gpt: GPT, tiny_vocabulary: Vocabulary) -> None:
    grammar = speech_grammar(tiny_vocabulary)
    prompts = prompts_of(tiny_vocabulary, [1, 6, 3, 2, 4])
    limits, seeds = [30, 12, 18, 24, 6], [11, 12, 13, 14, 15]
    together = generate(tiny_gpt, prompts, grammar, limits, seeds, WARM)
    alone = [
        generate(tiny_gpt, [prompt], grammar, [limit], [seed], WARM)[0]
        for prompt, limit, seed in zip(prompts, limits, seeds, strict=True)
    ]
    assert together == alone
    assert len(set(map(tuple, together))) == 5
    back = generate(tiny_gpt, prompts[::-1], grammar, limits[::-1], seeds[::-1], WARM)
    assert back[::-1] == together


def test_steps_come_one_by_one_and_rows_that_ended_show_the_end(
    tiny_gpt: GPT, tiny_vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step runs the network once, when it is asked for: nothing is drawn ahead, and nothing after closing."""
    monkeypatch.setattr(native, "available", lambda: False)
    grammar = speech_grammar(tiny_vocabulary)
    prompts, limits, seeds = prompts_of(tiny_vocabulary, [1, 4, 2]), [3, 0, 9], [1, 2, 3]
    whole = generate(tiny_gpt, prompts, grammar, limits, seeds, WARM)
    calls: list[int] = []
    first_logits = tiny_gpt.first_logits

    def counted(state: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return first_logits(state)

    monkeypatch.setattr(tiny_gpt, "first_logits", counted)
    steps = draw_steps(tiny_gpt, prompts, grammar, limits, seeds, WARM)
    assert calls == []
    drawn = []
    for number in range(1, 6):
        step = next(steps)
        drawn.append(step.ids[:, 0].tolist())
        assert step.running.tolist() == [
            number < min(limit, len(ids) + 1) for limit, ids in zip(limits, whole, strict=True)
        ]
        assert len(calls) == number
    steps.close()
    assert len(calls) == 5
    for row, ids in zip(zip(*drawn, strict=True), whole, strict=True):
        assert list(row) == [*ids[:5], *[END] * (5 - len(ids[:5]))]


def test_seeds_choose_what_is_said(tiny_gpt: GPT, tiny_vocabulary: Vocabulary) -> None:
    grammar = speech_grammar(tiny_vocabulary)
    prompt = prompts_of(tiny_vocabulary, [3])[0]
    first, again, other = generate(tiny_gpt, [prompt] * 3, grammar, [20] * 3, [1, 1, 2], WARM)
    assert first == again
    assert first != other
    torch.manual_seed(99)
    state = torch.get_rng_state()
    assert generate(tiny_gpt, [prompt], grammar, [20], [1], WARM)[0] == first
    assert torch.equal(torch.get_rng_state(), state)


def test_limits_hold(tiny_gpt: GPT, tiny_vocabulary: Vocabulary) -> None:
    endless = speech_grammar(tiny_vocabulary)
    endless[:, END] = False
    prompts, limits = prompts_of(tiny_vocabulary, [1, 4, 2, 3]), [0, 1, 7, 20]
    outputs = generate(tiny_gpt, prompts, endless, limits, [0] * 4, WARM)
    assert [len(output) for output in outputs] == limits
    assert generate(tiny_gpt, prompts[:1], endless, [0], [0], WARM) == [[]]


def test_a_sequence_stops_at_the_longest_the_model_knows(tiny_gpt: GPT, tiny_vocabulary: Vocabulary) -> None:
    endless = speech_grammar(tiny_vocabulary)
    endless[:, END] = False
    prompts = prompts_of(tiny_vocabulary, [10, 1])
    outputs = generate(tiny_gpt, prompts, endless, [1000, 1000], [0, 1], GREEDY)
    room = [tiny_gpt.config.max_tokens - len(prompt) for prompt in prompts]
    assert [len(output) for output in outputs] == room
    for prompt, output, limit in zip(prompts, outputs, room, strict=True):
        assert output == argmax_loop(tiny_gpt, prompt, endless, limit)


READS = Vocabulary(VocabularyConfig(n_text=6, n_codes=8, groups=2, reads=True))
TEXTS = [[3, 0, 5], [1], [2, 2, 4, 1, 0, 0]]


@pytest.fixture
def reader() -> GPT:
    network = scrambled(GPT(GPTConfig(layers=2, dim=32, heads=4, hidden=48, max_tokens=128), READS.size))
    assert isinstance(network, GPT)
    return network


def read_prompts() -> list[list[int]]:
    rng = torch.Generator().manual_seed(1)
    return [READS.read_prompt(torch.randint(0, 8, (2, 2), generator=rng), text) for text in TEXTS]


@pytest.mark.parametrize("sampling", [GREEDY, WARM])
def test_what_is_read_is_the_text_in_its_order(reader: GPT, sampling: TokenSampling) -> None:
    """Whole frames between its symbols, no symbol for longer than allowed, and the end after the last one."""
    outputs = generate(reader, read_prompts(), Reading(READS, TEXTS, 3), [100] * 3, [0, 1, 2], sampling)
    for text, output in zip(TEXTS, outputs, strict=True):
        assert READS.text_tokens(output) == text
        assert len(output) < 100
        frames, place = 0, 0
        for token in output:
            if token < READS.code_offset:
                assert place % 2 == 0
                frames = 0
            else:
                first, last = READS.group_range(place % 2)
                assert first <= token < last
                place += 1
                frames += place % 2
                assert frames <= 3
    assert any(len(output) > len(text) for text, output in zip(TEXTS, outputs, strict=True))


def test_reading_does_not_depend_on_the_batch(reader: GPT) -> None:
    prompts, seeds = read_prompts(), [4, 5, 6]
    together = generate(reader, prompts, Reading(READS, TEXTS, 4), [100] * 3, seeds, WARM)
    alone = [
        generate(reader, [prompt], Reading(READS, [text], 4), [100], [seed], WARM)[0]
        for prompt, text, seed in zip(prompts, TEXTS, seeds, strict=True)
    ]
    assert together == alone


def test_to_go_on_weighs_as_much_as_all_text_together() -> None:
    """Six symbols of 1/12 each, two codes of 1/6, an end that may not come: on in 3 of 5, cold or warm, and evenly else."""
    logits = torch.full((1, READS.size), float("-inf"))
    logits[0, READS.text_offset : READS.code_offset] = torch.tensor(1 / 12).log()
    logits[0, READS.code_offset : READS.code_offset + 2] = torch.tensor(1 / 6).log()
    logits[0, END] = torch.tensor(1 / 6).log()
    due, first = READS.text_ids([4])[0], READS.code_offset
    for sampling in (TokenSampling(1.0, 1.0), TokenSampling(0.5, 0.9)):
        for uniform, expected in (
            (0.0, due),
            (0.59, due),
            (0.61, first),
            (0.79, first),
            (0.81, first + 1),
            (1.0, first + 1),
        ):
            drawn = Reading(READS, [[4]], 9).draw(logits, torch.tensor([uniform]), sampling)
            assert drawn.tolist() == [expected]
    assert Reading(READS, [[4]], 9).draw(logits, torch.zeros(1), GREEDY).tolist() == [due]
    assert Reading(READS, [[]], 9).draw(logits, torch.tensor([0.33]), WARM).tolist() == [END]  # 1/6 of 1/2
    assert Reading(READS, [[]], 9).draw(logits, torch.tensor([0.34]), WARM).tolist() == [first]


HOLDS = [[Hold(True, 2), Hold(False, 5), Hold(True, 0), Hold(True, 3)], [Hold(True, 1)], [Hold(True, 4), Hold(True, 0)]]


def frames_of(output: list[int]) -> list[int]:
    """Frames before the first text token of ``output``, then after each."""
    counts = [0]
    for token in output:
        if token < READS.code_offset:
            counts.append(0)
        else:
            counts[-1] += 1
    return [count // READS.config.groups for count in counts]


def hurried(row_count: int) -> torch.Tensor:
    """Logits of a reader who always wants to go on, or to end."""
    logits = torch.zeros(row_count, READS.size)
    logits[:, : READS.code_offset] = 50.0
    return logits


def draw_all(rules: Reading, logits: torch.Tensor, sampling: TokenSampling, steps: int = 200) -> list[list[int]]:
    outputs: list[list[int]] = [[] for _ in range(len(logits))]
    ended = [False] * len(logits)
    for _ in range(steps):
        for row, token in enumerate(rules.draw(logits, torch.full((len(logits),), 0.5), sampling).tolist()):
            ended[row] = ended[row] or token == END
            if not ended[row]:
                outputs[row].append(token)
    assert all(ended)
    return outputs


@pytest.mark.parametrize("sampling", [GREEDY, WARM])
def test_a_word_has_its_least_frames(sampling: TokenSampling) -> None:
    """Without holds a hurried reader says nothing; with them each symbol waits for its count, and so does the end."""
    texts = [[0, 1, 2, 3], [4], [5, 0]]
    assert draw_all(Reading(READS, texts, 9), hurried(3), sampling) == [READS.text_ids(text) for text in texts]
    held = draw_all(Reading(READS, texts, 9, HOLDS), hurried(3), sampling)
    assert [frames_of(output) for output in held] == [[0, 2, 3, 0, 3], [0, 1], [0, 4, 0]]


def test_the_longest_goes_before_the_least() -> None:
    held = draw_all(Reading(READS, [[4]], 3, [[Hold(True, 7)]]), hurried(1), WARM)
    assert [frames_of(output) for output in held] == [[0, 3]]
    slow = torch.zeros(1, READS.size)
    slow[:, READS.code_offset :] = 50.0
    held = draw_all(Reading(READS, [[4, 5]], 3, [[Hold(True, 2), Hold(True, 1)]]), slow, WARM)
    assert [frames_of(output) for output in held] == [[3, 3, 3]]


def test_least_frames_do_not_depend_on_the_batch(reader: GPT) -> None:
    holds = [[Hold(True, 1 + place % 3) for place in range(len(text))] for text in TEXTS]
    prompts, seeds = read_prompts(), [4, 5, 6]
    together = generate(reader, prompts, Reading(READS, TEXTS, 4, holds), [100] * 3, seeds, WARM)
    alone = [
        generate(reader, [prompt], Reading(READS, [text], 4, [held]), [100], [seed], WARM)[0]
        for prompt, text, held, seed in zip(prompts, TEXTS, holds, seeds, strict=True)
    ]
    assert together == alone
    for output, held in zip(together, holds, strict=True):
        assert all(frames >= hold.frames for frames, hold in zip(frames_of(output)[1:], held, strict=True))


def test_what_waits_is_counted() -> None:
    number = torch.tensor(3)
    with Waits() as waits:
        _ = (float(number), int(number), bool(number), number.item(), number.tolist(), range(5)[number])
    assert waits.count == 6


def rules_of(kind: str, device: str = "cpu") -> torch.Tensor | Reading:
    if kind == "speech":
        return speech_grammar(READS)
    holds = [[Hold(True, 1 + place % 3) for place in range(len(text))] for text in TEXTS]
    return Reading(READS, TEXTS, 4, holds, device)


KINDS = pytest.mark.parametrize("kind", ["speech", "reading"])


@KINDS
@pytest.mark.parametrize("sampling", [GREEDY, WARM])
@torch.inference_mode()
def test_a_step_does_not_wait_for_the_device(reader: GPT, kind: str, sampling: TokenSampling) -> None:
    chosen = rules_of(kind)
    rules = Cycle(chosen, torch.device("cpu")) if isinstance(chosen, torch.Tensor) else chosen
    cache = KVCache(reader.config, 3, 40, reader.model.norm.weight)
    ids, uniforms = torch.tensor([3, 5, 7]), torch.rand(3, 30, generator=torch.Generator().manual_seed(2))
    with Waits() as waits:
        for step in range(30):
            hidden = reader.hidden(ids[:, None], torch.full((3, 1), step), cache)[:, 0]
            ids = rules.draw(reader.logits(hidden), uniforms[:, step], sampling)
    assert waits.count == 0


@KINDS
@pytest.mark.parametrize("look_every", [1, 7, 16, 1000])
def test_how_often_it_is_looked_changes_nothing_but_the_waits(reader: GPT, kind: str, look_every: int) -> None:
    prompts, limits = read_prompts(), [90, 12, 100]
    usual = generate(reader, prompts, rules_of(kind), limits, [4, 5, 6], WARM)
    assert len(set(map(len, usual))) == 3
    with Waits() as waits:
        found = generate(reader, prompts, rules_of(kind), limits, [4, 5, 6], WARM, look_every)
    assert found == usual
    assert waits.count <= max(map(len, usual)) // look_every + 2


@KINDS
def test_a_loop_needs_no_number_from_the_device(reader: GPT, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """On the device 'meta' tensors hold no numbers: whoever reads one, or copies one to the host, fails."""
    shapes: list[torch.Size] = []
    monkeypatch.setattr("triforce_tts.sampling.tokens._until_end", lambda drawn: shapes.append(drawn.shape))
    network, rules = reader.to("meta"), rules_of(kind, "meta")
    generate(network, read_prompts(), rules, [40, 50, 30], [1, 2, 3], WARM, look_every=1000)
    assert shapes == [(3, 50, 1)]
    with pytest.raises(RuntimeError, match="meta"):
        generate(network, read_prompts(), rules_of(kind, "meta"), [40, 50, 30], [1, 2, 3], WARM, look_every=10)
