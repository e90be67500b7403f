from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from tests.conftest import scrambled
from tests.triforce_tts.sampling.waits import Waits
from triforce_tts import checkpoint
from triforce_tts.errors import CheckpointError
from triforce_tts.models.frame_gpt import FrameGPT, make_gpt
from triforce_tts.models.gpt import GPT, GPTConfig, HeadConfig
from triforce_tts.models.load import load_gpt
from triforce_tts.sampling.nucleus import TokenSampling, pick
from triforce_tts.sampling.score import log_probabilities
from triforce_tts.sampling.tokens import Reading, generate, speech_grammar
from triforce_tts.sequences import END, PAD, SPEECH, TEXT, VOICE, Vocabulary, VocabularyConfig

pytestmark = pytest.mark.usefixtures("one_thread")

# Ids: 5 special ones, text from 5, codes of three groups from 11, 19 and 27, <read> is 35.
WORDS = Vocabulary(VocabularyConfig(n_text=6, n_codes=8, groups=3, reads=True, by_frames=True))
CONFIG = GPTConfig(layers=2, dim=32, heads=4, hidden=48, max_tokens=64, head=HeadConfig(layers=2, hidden=40))
GREEDY, WARM = TokenSampling(temperature=0.0), TokenSampling(temperature=1.0, top_p=0.95)
TEXTS = [[3, 0, 5], [1], [2, 2, 4, 1, 0, 0]]


@pytest.fixture
def network() -> FrameGPT:
    made = scrambled(make_gpt(CONFIG, WORDS))
    assert isinstance(made, FrameGPT)
    return made


def codes(frames: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 8, (frames, 3), generator=torch.Generator().manual_seed(seed))


def sequences() -> list[list[int]]:
    """One of each kind."""
    return [
        WORDS.read_aloud(codes(2), [1, 2], [0, 1], codes(3, 1), 0.1).ids,
        WORDS.speak(codes(1), [5], codes(4, 1), 0.1).ids,
        WORDS.listen(codes(5), [0, 1], 0.1).ids,
        WORDS.text_alone([4, 4]).ids,
    ]


def test_steps_by_hand() -> None:
    ids = [VOICE, 12, 20, 28, TEXT, 5, SPEECH, 11, 19, 27, 18, 26, 34, END]
    frame, none = [[12, 20, 28], [11, 19, 27], [18, 26, 34]], [PAD, PAD]
    steps = [[VOICE, *none], frame[0], [TEXT, *none], [5, *none], [SPEECH, *none], *frame[1:], [END, *none]]
    assert WORDS.pack(ids).tolist() == steps
    assert WORDS.count_steps(ids) == 8


@pytest.mark.parametrize("ids", sequences())
def test_steps_hold_the_ids_in_their_order(ids: list[int]) -> None:
    steps = WORDS.pack(ids)
    assert steps[steps != PAD].tolist() == ids
    assert WORDS.count_steps(ids) == len(steps)


@pytest.mark.parametrize("ids", [[VOICE, 12, 20], [12, 20, TEXT], [20, 28, TEXT], [12, 28, TEXT], [12, 20, 28, 20]])
def test_a_frame_that_lacks_a_code_is_refused(ids: list[int]) -> None:
    with pytest.raises(ValueError, match="lacks a code, or a code that opens no frame"):
        WORDS.pack(ids)


@torch.no_grad()
def test_surprise_written_out(network: FrameGPT) -> None:
    """Every id by a loop: the first of a step by the shared table, code g by its head and the codes before it."""
    ids = sequences()[0]
    steps, table = WORDS.pack(ids), network.model.embed_tokens.weight
    states = network.hidden(steps[None])[0]
    expected = []
    for state, step in zip(states, steps[1:].tolist(), strict=False):
        expected.append(F.log_softmax(table @ state, -1)[step[0]])
        for group in (1, 2) if step[1] != PAD else ():
            inner = network.head[group - 1](state, sum(table[i] for i in step[:group]))
            first, last = WORDS.group_range(group)
            expected.append(F.log_softmax(table[first:last] @ inner, -1)[step[group] - first])
    (logs,) = log_probabilities(network, [ids])
    assert len(logs) == len(ids) - 1
    assert torch.allclose(logs, torch.stack(expected), atol=1e-5)


@torch.no_grad()
def test_the_input_of_a_frame_is_the_sum_of_its_codes(network: FrameGPT) -> None:
    """So their order among the groups does not matter, and PAD beside a text token adds nothing."""
    table = network.model.embed_tokens.weight
    inputs = network._embed(torch.tensor([[[12, 20, 28], [TEXT, PAD, PAD]]]))[0]
    assert torch.allclose(inputs, torch.stack([table[12] + table[20] + table[28], table[TEXT]]), atol=1e-6)


def test_batched_is_alone_and_padding_changes_nothing(network: FrameGPT) -> None:
    together = log_probabilities(network, sequences())
    for ids, logs in zip(sequences(), together, strict=True):
        assert torch.allclose(logs, log_probabilities(network, [ids])[0], atol=1e-5)


def test_a_code_changes_no_probability_before_it(network: FrameGPT) -> None:
    ids = sequences()[1]
    for place in range(2, len(ids)):
        if not WORDS.code_offset <= ids[place] < WORDS.read:
            continue
        first = WORDS.code_offset + (ids[place] - WORDS.code_offset) // 8 * 8
        other = [*ids[:place], first + (ids[place] - first + 3) % 8, *ids[place + 1 :]]
        before, after = log_probabilities(network, [ids, other])
        assert torch.allclose(before[: place - 1], after[: place - 1], atol=1e-5)
        assert not torch.allclose(before[place - 1 :], after[place - 1 :], atol=0.01)


def test_every_weight_learns(network: FrameGPT) -> None:
    steps = WORDS.pack(sequences()[0])[None]
    wanted = steps != PAD
    wanted[:, 0] = False
    network(steps, wanted).sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().max()] == []


@torch.no_grad()
def loop_without_cache(
    network: FrameGPT, prompt: list[int], limit: int, seed: int, sampling: TokenSampling
) -> list[int]:
    """Drawing whole frames or <end>, each step from the whole sequence."""
    uniforms = torch.rand(limit, 3, generator=torch.Generator().manual_seed(seed))
    output: list[int] = []
    for step in range(limit):
        state = network.hidden(WORDS.pack(prompt + output)[None])[:, -1]
        logits = network.logits(state).masked_fill(~speech_grammar(WORDS)[0], float("-inf"))
        ids = [int(pick(logits, uniforms[step, :1], sampling))]
        if ids[0] == END:
            break
        for group in (1, 2):
            drawn = pick(network.code_logits(state, torch.tensor([ids])), uniforms[step, group : group + 1], sampling)
            ids.append(int(drawn) + WORDS.group_range(group)[0])
        output += ids
    return output


@pytest.mark.parametrize("sampling", [GREEDY, WARM])
def test_decoding_is_the_loop_without_a_cache(network: FrameGPT, sampling: TokenSampling) -> None:
    prompts = [WORDS.speak_prompt(codes(n, n), [1] * n) for n in (1, 5, 3)]
    limits, seeds = [20, 12, 7], [4, 5, 6]
    drawn = generate(network, prompts, speech_grammar(WORDS), limits, seeds, sampling)
    expected = [loop_without_cache(network, *row, sampling) for row in zip(prompts, limits, seeds, strict=True)]
    assert drawn == expected
    assert len({i for ids in drawn for i in ids}) > 4
    alone = [
        generate(network, [prompt], speech_grammar(WORDS), [limit], [seed], sampling)[0]
        for prompt, limit, seed in zip(prompts, limits, seeds, strict=True)
    ]
    assert drawn == alone


@pytest.mark.parametrize("sampling", [GREEDY, WARM])
def test_a_text_is_read_in_its_order_with_whole_frames(network: FrameGPT, sampling: TokenSampling) -> None:
    prompts = [WORDS.read_prompt(codes(2, row), text) for row, text in enumerate(TEXTS)]
    drawn = generate(network, prompts, Reading(WORDS, TEXTS, 3), [60] * 3, [1, 2, 3], sampling)
    for text, ids in zip(TEXTS, drawn, strict=True):
        assert WORDS.text_tokens(ids) == text
        WORDS.pack(ids)
        runs = [len(run.split()) for run in " ".join("t" if i < 11 else "c" for i in ids).split("t")]
        assert max(runs) <= 3 * 3  # no token is held for more than three frames of three codes


@torch.inference_mode()
def test_a_loop_needs_no_number_from_the_device(network: FrameGPT, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the device 'meta' tensors hold no numbers: whoever reads one fails."""
    shapes: list[torch.Size] = []
    monkeypatch.setattr("triforce_tts.sampling.tokens._until_end", lambda drawn: shapes.append(drawn.shape))
    prompts = [WORDS.read_prompt(codes(2, row), text) for row, text in enumerate(TEXTS)]
    rules = Reading(WORDS, TEXTS, 3, device="meta")
    with Waits() as waits:
        generate(network.to("meta"), prompts, rules, [9, 30, 20], [1, 2, 3], WARM, look_every=1000)
    assert shapes == [(3, 30, 3)]
    # The host waits for the device only when it lays out the prompts, before the loop.
    assert waits.count <= 2 * len(prompts)


def save(network: FrameGPT, folder: Path, **changed: object) -> None:
    config = {
        "stage": "gpt",
        **network.config.huggingface(WORDS.size),
        "model": network.config.model_dump(mode="json"),
        "vocabulary": WORDS.config.model_dump(mode="json"),
    }
    checkpoint.save(folder, network.state_dict(), {**config, **changed}, {})


def test_a_checkpoint_comes_back_and_is_no_llama(network: FrameGPT, tmp_path: Path) -> None:
    save(network, tmp_path)
    loaded, vocabulary = load_gpt(tmp_path)
    assert isinstance(loaded, FrameGPT)
    assert vocabulary.config == WORDS.config
    assert torch.equal(log_probabilities(loaded, sequences())[0], log_probabilities(network, sequences())[0])
    assert "llama" not in str(CONFIG.huggingface(WORDS.size)).lower()


@pytest.mark.parametrize(
    "changed",
    [
        {"vocabulary": {**WORDS.config.model_dump(), "by_frames": False}},
        {"model": {**CONFIG.model_dump(), "head": None}},
        {"vocabulary": {**WORDS.config.model_dump(), "groups": 1}},
    ],
    ids=["no frames", "no head", "one code"],
)
def test_a_checkpoint_that_contradicts_itself_is_refused(
    network: FrameGPT, tmp_path: Path, changed: dict[str, object]
) -> None:
    save(network, tmp_path, **changed)
    with pytest.raises(CheckpointError, match="by_frames"):
        load_gpt(tmp_path)


def test_a_head_needs_frames_of_several_codes() -> None:
    plain = Vocabulary(VocabularyConfig(n_text=6, n_codes=8, groups=3))
    assert type(make_gpt(CONFIG.model_copy(update={"head": None}), plain)) is GPT
    with pytest.raises(ValueError, match="frames of two or more codes"):
        make_gpt(CONFIG, plain)
