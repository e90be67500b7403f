"""Switched convolutions as layers: the selector, its norm and its gradient, and the conversion of plain convolutions."""

import json

import pytest
import torch
from torch import nn

from tests.conftest import scrambled
from tests.launch import in_forks
from triforce_tts import native
from triforce_tts.errors import ConfigError
from triforce_tts.models.dvae import DVAE, DVAEConfig
from triforce_tts.models.switched_conv import (
    SwitchedConfig,
    SwitchedConv1d,
    SwitchedConv2d,
    SwitchNorm,
    convert,
    drop_kernels,
    selections,
)

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:the native operators are not built"),
]
built = pytest.mark.skipif(not native.LIBRARY.is_file(), reason="the native operators were not built ('make ext')")


def layer(**changes: object) -> SwitchedConv1d:
    torch.manual_seed(0)
    return SwitchedConv1d(6, 5, 3, 4, **{"padding": 1, **changes})  # type: ignore[arg-type]


def signal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


# --- the norm ---------------------------------------------------------------------------------------------------------


def probabilities(first: float) -> torch.Tensor:
    """Of two kernels at two places."""
    return torch.tensor([[[first, first], [1 - first, 1 - first]]])


def test_the_norm_of_a_worked_example() -> None:
    norm = SwitchNorm(2, uses=2).train()
    # It is the identity until two passes were seen.
    assert torch.equal(norm(probabilities(0.75)), probabilities(0.75))
    assert torch.equal(norm(probabilities(0.5)), probabilities(0.5))
    assert norm.uses.tolist() == [[1.5, 0.5], [1.0, 1.0]]
    # Their mean is [1.25, .75]; .5 / 1.25 = .4 and .5 / .75 = .6667, over their sum.
    torch.testing.assert_close(norm(probabilities(0.5)), probabilities(0.375))
    # The third pass has taken the place of the first: a use is what the probabilities were before the norm.
    assert norm.uses.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert int(norm.seen) == 3
    torch.testing.assert_close(norm(probabilities(0.3)), probabilities(0.3))


def test_evaluation_uses_the_norm_and_adds_nothing() -> None:
    norm = SwitchNorm(2, uses=1).train()
    norm(probabilities(0.75))
    norm.eval()
    for _ in range(3):
        torch.testing.assert_close(norm(probabilities(0.5)), probabilities(0.25))
    assert int(norm.seen) == 1 and norm.uses.tolist() == [[1.5, 0.5]]


def test_what_lies_outside_is_no_use() -> None:
    norm = SwitchNorm(2, uses=1).train()
    mixed = torch.tensor([[[0.75, 0.1], [0.25, 0.9]]])
    norm(mixed, torch.tensor([[1.0, 0.0]]))
    assert norm.uses.tolist() == [[1.5, 0.5]]
    norm(mixed, torch.zeros(1, 2))  # nothing is inside
    assert norm.uses.tolist() == [[0.0, 0.0]]
    assert norm(mixed).isfinite().all()


def test_a_kernel_that_is_hardly_used_is_used_again() -> None:
    """A selector with a bias for one kernel: without the norm it would choose that one everywhere."""
    conv = layer(uses=8).train()
    with torch.no_grad():
        conv.selector.first.bias.copy_(torch.tensor([3.0, 0.0, 0.0, 0.0]))
    x = signal(4, 6, 100)
    chosen = []
    for _ in range(9):
        with selections(conv) as seen:
            conv(x)
        chosen.append(len(seen[""].unique()))
    assert chosen[0] == 1 and chosen[-1] == 4


TWO_PROCESSES = """
import json, torch
from torch import distributed
from triforce_tts.models.switched_conv import SwitchNorm
distributed.init_process_group("gloo")
rank = distributed.get_rank()
norm = SwitchNorm(2, uses=1).train()
norm(torch.tensor([[[0.75], [0.25]]]) if rank else torch.tensor([[[0.1, 0.2, 0.3], [0.9, 0.8, 0.7]]]))
uses = norm.uses.tolist()
if rank == 0:  # the main process alone evaluates, and must not wait for the other
    norm.eval()(torch.tensor([[[0.5], [0.5]]]))
print(json.dumps(uses))
distributed.destroy_process_group()
"""


def test_two_processes_agree_in_training_only() -> None:
    codes, said, errors = in_forks(["-c", TWO_PROCESSES], 2)
    assert codes == [0, 0], errors
    first, second = (json.loads(line) for line in said.split("\n")[:2])
    assert first == second
    assert first[0] == pytest.approx([1.35 / 2, 2.65 / 2])


# --- the choice -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [False, True])
def test_the_most_probable_kernel_is_used(training: bool) -> None:
    conv, x = layer().train(training), signal(2, 6, 11)
    best = conv.selector(x).argmax(1)
    assert len(best.unique()) == 4
    y = conv(x)
    for number, kernel in enumerate(conv.weight.movedim(-1, 2)):
        plain = nn.functional.conv1d(x, kernel, conv.bias, padding=1)
        there = (best == number).unsqueeze(1).expand_as(y)
        torch.testing.assert_close(y[there], plain[there])


def test_the_choice_has_the_winners_gradient_over_its_probability() -> None:
    conv, x = layer().double().train(), signal(2, 6, 11).double()
    logits = conv.selector(x).detach().requires_grad_()
    conv.selector.forward = lambda _: logits  # type: ignore[method-assign]
    y, grad = conv(x), signal(2, 5, 11).double()
    (found,) = torch.autograd.grad(y, logits, grad)
    soft = logits.detach().float().softmax(1).double()
    winner = torch.nn.functional.one_hot(soft.argmax(1), 4).transpose(1, 2)
    # d/dp of the winner is the gradient times the output, over p; softmax turns it into logits.
    to_winner = (grad * y.detach()).sum(1, keepdim=True)
    torch.testing.assert_close(found, to_winner * (winner - soft), atol=1e-6, rtol=1e-5)


def test_a_removed_kernel_is_never_chosen_and_one_is_kept() -> None:
    torch.manual_seed(0)
    logits = signal(500, 4, 3)
    dropped = drop_kernels(logits, 0.6)
    gone = torch.isneginf(dropped)
    assert torch.equal(dropped[~gone], logits[~gone])
    assert (gone.all(2) == gone.any(2)).all()  # everywhere in an item, or nowhere
    assert not gone.all(1).any()
    # .6 of the kernels go, but for the items of which all four would (.6^4): these keep one.
    assert gone.float().mean().item() == pytest.approx(0.6 - 0.6**4 / 4, abs=0.04)
    assert (dropped.softmax(1)[gone] == 0).all()


def test_kernels_are_dropped_in_training_alone() -> None:
    conv, x = layer(dropout=0.6), signal(64, 6, 9)
    torch.manual_seed(0)
    assert (conv.train().probabilities(x) == 0).any()
    assert (conv.eval().probabilities(x) > 0).all()


@pytest.mark.parametrize("selector", ["pointwise", "conv"])
@pytest.mark.parametrize(("padding", "stride", "dilation"), [(0, 1, 1), (1, 2, 1), (4, 3, 2), (1, 1, 3)])
def test_the_selector_looks_at_the_middle_of_the_kernel(
    selector: str, padding: int, stride: int, dilation: int
) -> None:
    conv = SwitchedConv1d(2, 3, 5, 4, stride, padding, dilation, selector=selector)  # type: ignore[arg-type]
    x = signal(1, 2, 31)
    plain = nn.Conv1d(2, 3, 5, stride, padding, dilation)(x)
    assert conv(x).shape == plain.shape
    assert conv.probabilities(x).shape == (1, 4, plain.shape[-1])
    half = 0 if selector == "pointwise" else 1
    for place in range(plain.shape[-1]):
        middle = place * stride - padding + 2 * dilation
        changed = x.clone()
        changed[..., : max(0, middle - half)] += 1
        changed[..., max(0, middle + half + 1) :] += 1
        assert torch.equal(conv.selector(x)[..., place], conv.selector(changed)[..., place])


def test_the_selector_sees_no_more_than_the_kernel() -> None:
    conv, x = SwitchedConv1d(2, 3, 1, 4, selector="conv"), signal(1, 2, 9)
    changed = x.clone()
    changed[..., 4] += 9
    same = (conv(x) == conv(changed)).all(1)[0]
    assert same.tolist() == [place != 4 for place in range(9)]


def test_pictures_are_switched_too() -> None:
    conv = SwitchedConv2d(3, 4, (3, 5), 3, (2, 1), (1, 2), selector="conv")
    x = signal(2, 3, 9, 8)
    y = conv(x)
    assert y.shape == nn.Conv2d(3, 4, (3, 5), (2, 1), (1, 2))(x).shape
    y.sum().backward()
    assert all(parameter.grad is not None for parameter in conv.parameters())


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kind", [pytest.param("native", marks=built), "reference"])
def test_the_layer_is_compiled_as_one_graph(training: bool, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind == "reference":
        monkeypatch.setattr("triforce_tts.switched_op.is_native", lambda *_: False)
    torch.compiler.reset()
    plain, fast = (layer(selector="conv", dropout=0.2, uses=1).train(training) for _ in range(2))
    compiled = torch.compile(fast, backend="aot_eager", fullgraph=True)
    for seed in range(2):  # the norm works in the second pass
        x = signal(2, 6, 9).requires_grad_()
        torch.manual_seed(seed)
        expected = plain(x)
        torch.manual_seed(seed)
        torch.testing.assert_close(compiled(x), expected)
    assert torch.equal(fast.norm.seen, plain.norm.seen)
    torch.testing.assert_close(fast.norm.uses, plain.norm.uses)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"kernel_size": 4}, r"odd width, found \[4\]"), ({"breadth": 0}, "breadth of 0")],
)
def test_layers_that_cannot_be_are_refused(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SwitchedConv1d(3, 3, **{"kernel_size": 3, "breadth": 2, **changes})


# --- conversion -------------------------------------------------------------------------------------------------------


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, (3, 5), stride=2, padding=(1, 2)),
        nn.ReLU(),
        nn.Sequential(nn.Conv2d(8, 8, 3, padding=3, dilation=3, bias=False), nn.SiLU(), nn.Conv2d(8, 2, 1)),
    )


@pytest.mark.parametrize("training", [False, True])
def test_conversion_changes_no_output(training: bool) -> None:
    module, x = network().train(training), signal(2, 3, 16, 20)
    before = module(x)
    assert convert(module, ["0", "2.*"], 5, "conv", 0.3) == ("0", "2.0", "2.2")
    for _ in range(3):
        torch.testing.assert_close(module(x), before, atol=1e-6, rtol=0)
    assert all(part.training == training for part in module.modules())
    assert isinstance(module[0], SwitchedConv2d) and module[2][0].bias is None
    module(x).sum().backward()  # A switched network can be trained.


def test_what_is_switched_is_not_switched_again() -> None:
    module = network()
    convert(module, ["0"], 2)
    assert convert(module, ["*"], 2) == ("2.0", "2.2")


@pytest.mark.parametrize(
    ("module", "name", "message"),
    [
        (network(), "3", r"no convolution is named '3' here; there are 0, 2\.0, 2\.2"),
        (nn.Sequential(nn.ReLU()), "*", "there are none"),
        (nn.Sequential(nn.Conv1d(4, 4, 3, groups=2)), "0", "groups=2"),
        (nn.Sequential(nn.Conv1d(4, 4, 3, padding="same")), "0", "padding='same'"),
        (nn.Sequential(nn.Conv1d(4, 4, 3, padding_mode="reflect")), "0", "padding_mode='reflect'"),
        (nn.Sequential(nn.Conv1d(4, 4, 2)), "0", "odd width"),
    ],
)
def test_what_cannot_be_converted_is_refused(module: nn.Module, name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        convert(module, [name], 2)


DVAE_CONFIG = DVAEConfig(channels=16, downsampling=4, levels=(5, 5), groups=2, blocks=1)
SWITCHED = SwitchedConfig(names=("decoder.*.conv_in.conv", "up.*.conv", "down.0.conv"), breadth=3)


def dvae(switched: SwitchedConfig | None) -> DVAE:
    return DVAE(DVAE_CONFIG.model_copy(update={"switched": switched}), 8)


def test_a_dvae_takes_up_the_weights_of_a_plain_one() -> None:
    plain = scrambled(dvae(None)).eval()
    switched = dvae(SWITCHED).eval()
    assert switched.switched == ("down.0.conv", "decoder.0.conv_in.conv", "up.0.conv", "up.1.conv")
    state = switched.taken_up(plain.state_dict())
    switched.load_state_dict(state)
    mel, lengths = signal(2, 22, 8), torch.tensor([22, 13])
    for found, expected in zip(switched(mel, lengths)[:2], plain(mel, lengths)[:2], strict=True):
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    again = switched.taken_up(switched.state_dict())  # nothing is single any more
    assert all(torch.equal(again[name], value) for name, value in switched.state_dict().items())


def test_frames_outside_of_an_utterance_change_nothing() -> None:
    network = scrambled(dvae(SWITCHED)).train()
    mel, lengths = signal(2, 24, 8), torch.tensor([24, 12])
    whole = network(mel, lengths)[0]
    uses = {name: value.clone() for name, value in network.state_dict().items() if name.endswith("norm.uses")}
    assert len(uses) == 4
    other = scrambled(dvae(SWITCHED)).train()
    mel[1, 12:] = 7.0
    torch.testing.assert_close(other(mel, lengths)[0][1, :12], whole[1, :12])
    for name, value in uses.items():
        torch.testing.assert_close(other.state_dict()[name], value)
