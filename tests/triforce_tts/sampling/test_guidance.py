"""Guidance of codes by text and voice: against the arithmetic by hand, and against a loop that keeps nothing."""

import pytest
import torch

from tests.conftest import scrambled
from tests.triforce_tts.sampling.waits import Waits
from triforce_tts import native
from triforce_tts.errors import ConfigError
from triforce_tts.models.frame_gpt import FrameGPT, make_gpt
from triforce_tts.models.gpt import GPT, GPTConfig, HeadConfig
from triforce_tts.sampling.guidance import GuidedStepper
from triforce_tts.sampling.nucleus import TokenSampling, guided, pick
from triforce_tts.sampling.tokens import Reading, Shape, draw_steps, generate, speech_grammar
from triforce_tts.sequences import END, SPEECH, Vocabulary, VocabularyConfig
from triforce_tts.text.pace import Hold

pytestmark = pytest.mark.usefixtures("one_thread", "fresh_switch")

FRAMES = Vocabulary(VocabularyConfig(n_text=6, n_codes=8, groups=3, reads=True, by_frames=True))
FLAT = Vocabulary(VocabularyConfig(n_text=6, n_codes=8, groups=2, reads=True))
VOCABULARIES = {"frames": FRAMES, "flat": FLAT}
TEXTS = [[3, 0, 5], [1], [2, 2, 4, 1, 0, 0]]
LIMITS, SEEDS = [60, 50, 90], [4, 5, 6]
COLD, WARM = TokenSampling(0.0, guidance=2.5), TokenSampling(1.0, 0.95, guidance=2.5)
KINDS = pytest.mark.parametrize("kind", ["frames", "flat"])


def network(kind: str) -> GPT:
    head = HeadConfig(layers=1, hidden=24) if kind == "frames" else None
    sizes = GPTConfig(layers=2, dim=32, heads=4, hidden=48, max_tokens=128, head=head)
    return scrambled(make_gpt(sizes, VOCABULARIES[kind]))


def prompt(vocabulary: Vocabulary, text: list[int]) -> list[int]:
    rng = torch.Generator().manual_seed(len(text))
    return vocabulary.read_prompt(torch.randint(0, 8, (2, vocabulary.config.groups), generator=rng), text)


def reading(vocabulary: Vocabulary, texts: list[list[int]], device: str = "cpu") -> Reading:
    return Reading(vocabulary, texts, 4, [[Hold(True, 1 + i % 2) for i in range(len(text))] for text in texts], device)


def draw(kind: str, sampling: TokenSampling, rows: tuple[int, ...] = (0, 1, 2)) -> list[list[int]]:
    vocabulary = VOCABULARIES[kind]
    texts = [TEXTS[row] for row in rows]
    return generate(
        network(kind), [prompt(vocabulary, text) for text in texts], reading(vocabulary, texts),
        [LIMITS[row] for row in rows], [SEEDS[row] for row in rows], sampling,
    )  # fmt: skip


def test_guidance_by_hand() -> None:
    logits, without = torch.tensor([[2.0, 1.0]]), torch.tensor([[1.0, 3.0]])
    assert guided(logits, without, 1.0).tolist() == [[2.0, 1.0]]
    assert guided(logits, without, 0.0).tolist() == [[1.0, 3.0]]
    assert guided(logits, without, 3.0).tolist() == [[4.0, -3.0]]


@torch.no_grad()
def loop_without_cache(kind: str, row: int, sampling: TokenSampling) -> list[int]:
    """Each step from the whole sequence, and from all codes so far after <speech>."""
    made, vocabulary = network(kind), VOCABULARIES[kind]
    rules, start = reading(vocabulary, [TEXTS[row]]), prompt(vocabulary, TEXTS[row])
    uniforms = torch.rand(LIMITS[row], made.width, generator=torch.Generator().manual_seed(SEEDS[row]))
    output: list[int] = []
    for step in range(LIMITS[row]):
        spoken = [i for i in output if i >= vocabulary.code_offset]
        own, unconditional = (made.hidden(made.pack(ids)[None])[:, -1] for ids in (start + output, [SPEECH, *spoken]))
        logits, expected = made.logits(own), made.logits(unconditional)
        for group in range(vocabulary.config.groups if kind == "flat" else 1):
            codes = slice(*vocabulary.group_range(group))
            moved = guided(logits[:, codes], expected[:, codes], sampling.guidance).softmax(-1)
            logits[:, codes] = (moved * logits[:, codes].exp().sum()).log()
        ids = rules.draw(logits, uniforms[step, :1], sampling).tolist()
        if ids[0] == END:
            break
        if isinstance(made, FrameGPT) and ids[0] >= vocabulary.code_offset:
            for group in (1, 2):
                wanted, known = (made.code_logits(state, torch.tensor([ids])) for state in (own, unconditional))
                moved = guided(wanted, known, sampling.guidance)
                code = pick(moved, uniforms[step, group : group + 1], sampling)
                ids.append(int(code) + vocabulary.group_range(group)[0])
        output += ids
    return output


@KINDS
@pytest.mark.parametrize("sampling", [COLD, WARM])
@pytest.mark.parametrize("switch", ["0", "1"])
def test_drawing_is_the_loop_without_a_cache(
    kind: str, sampling: TokenSampling, switch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both with the native operators, where they are built, and with the modules of the network."""
    if switch == "1" and not native.LIBRARY.is_file():
        pytest.skip("the native operators were not built ('make ext')")
    monkeypatch.setenv(native.SWITCH, switch)
    native.available.cache_clear()
    drawn = draw(kind, sampling)
    assert drawn == [loop_without_cache(kind, row, sampling) for row in range(3)]
    assert drawn != draw(kind, TokenSampling(sampling.temperature, sampling.top_p))
    assert [VOCABULARIES[kind].text_tokens(ids) for ids in drawn] == TEXTS


@KINDS
def test_a_row_does_not_depend_on_the_batch(kind: str) -> None:
    together = draw(kind, WARM)
    assert together == [draw(kind, WARM, (row,))[0] for row in range(3)]
    assert draw(kind, WARM, (2, 0)) == [together[2], together[0]]


@KINDS
def test_prompts_of_a_fixed_room_change_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal prompts are read once and written to all of their rows, whatever the room."""
    monkeypatch.setenv(native.SWITCH, "0")
    native.available.cache_clear()
    vocabulary, rows = VOCABULARIES[kind], [0, 1, 0, 2]
    texts = [TEXTS[row] for row in rows]
    arguments = (
        network(kind), [prompt(vocabulary, text) for text in texts], reading(vocabulary, texts), [60] * 4, [4, 5, 6, 7]
    )  # fmt: skip
    free = generate(*arguments, WARM)
    arguments = (*arguments[:2], reading(vocabulary, texts), *arguments[3:])
    assert generate(*arguments, WARM, shape=Shape(32, 128)) == free
    assert free[0] != free[2]


@KINDS
def test_the_decision_to_go_on_is_not_guided(kind: str) -> None:
    """All codes of a group together are as likely as before, and so is every other id."""

    class Given:
        """A stepper with given logits, of a row and its unconditional one."""

        both = torch.randn(2, VOCABULARIES[kind].size, generator=torch.Generator().manual_seed(1))

        def first_logits(self, state: torch.Tensor) -> torch.Tensor:
            return self.both

    vocabulary = VOCABULARIES[kind]
    stepper = GuidedStepper(Given(), vocabulary, torch.zeros(2, 4), 3.0)  # type: ignore[arg-type]
    (moved,), before = stepper.first_logits(torch.zeros(2, 4)), Given.both[0]
    codes = slice(*vocabulary.group_range(1))
    torch.testing.assert_close(moved[codes].logsumexp(0), before[codes].logsumexp(0))
    torch.testing.assert_close(moved[codes].softmax(0), guided(before, Given.both[1], 3.0)[codes].softmax(0))
    others = [*range(vocabulary.code_offset), *range(vocabulary.read, vocabulary.size)]
    assert torch.equal(moved[others], before[others])


@KINDS
def test_a_sequence_may_fill_the_network(kind: str) -> None:
    made, vocabulary = network(kind), VOCABULARIES[kind]
    rules = Reading(vocabulary, [[1] * 3], 1000, [[Hold(True, 500)] * 3])
    (ids,) = generate(made, [prompt(vocabulary, [1] * 3)], rules, [1000], [0], WARM)
    assert len(made.pack([*prompt(vocabulary, [1] * 3), *ids])) == 128


def test_only_speech_with_its_text_in_place_is_guided() -> None:
    steps = draw_steps(network("flat"), [[SPEECH]], speech_grammar(FLAT), [4], [0], WARM)
    with pytest.raises(ConfigError, match=r"guidance 2\.5 of stage 2: only speech with its text in place"):
        next(steps)
    with pytest.raises(ConfigError, match="guidance -1"):
        TokenSampling(guidance=-1.0)


@KINDS
@torch.inference_mode()
def test_a_loop_needs_no_number_from_the_device(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the device 'meta' tensors hold no numbers: whoever reads one fails."""
    shapes: list[torch.Size] = []
    monkeypatch.setattr("triforce_tts.sampling.tokens._until_end", lambda drawn: shapes.append(drawn.shape))
    vocabulary = VOCABULARIES[kind]
    prompts = [prompt(vocabulary, text) for text in TEXTS]
    with Waits() as waits:
        generate(
            network(kind).to("meta"), prompts, reading(vocabulary, TEXTS, "meta"), [9, 30, 20], [1, 2, 3], WARM, 1000
        )
    assert shapes == [(3, 30, 3 if kind == "frames" else 1)]
    assert waits.count <= 4 * len(prompts)
