import pytest
import torch
from vector_quantize_pytorch import FSQ

from triforce_tts.models.quantizer import GroupedFSQ, GroupedGumbel, GroupedVQ

GRIDS = [((8, 5, 5, 5), 1), ((8, 5, 5, 5), 2), ((5, 5, 5), 2), ((4, 3, 6), 3), ((7,), 1)]


def pair(levels: tuple[int, ...], groups: int) -> tuple[GroupedFSQ, FSQ]:
    """Ours and theirs with the same weights."""
    torch.manual_seed(0)
    ours = GroupedFSQ(12, levels, groups)
    theirs = FSQ(levels=list(levels), dim=12, num_codebooks=groups, keep_num_codebooks_dim=True)
    if not isinstance(theirs.project_in, torch.nn.Linear):
        raise AssertionError("the other library has no projection to copy weights into")
    with torch.no_grad():
        ours.project_in.weight.mul_(4.0)  # the whole grid is in use
        for name in ("project_in", "project_out"):
            getattr(theirs, name).load_state_dict(getattr(ours, name).state_dict())
    return ours, theirs


@pytest.mark.parametrize(("levels", "groups"), GRIDS)
def test_codes_and_outputs_are_those_of_vector_quantize_pytorch(levels: tuple[int, ...], groups: int) -> None:
    ours, theirs = pair(levels, groups)
    x = torch.randn(3, 50, 12)
    found, codes, _ = ours(x)
    expected, expected_codes = theirs(x)
    assert codes.shape == (3, 50, groups)
    assert codes.dtype == torch.int64
    assert torch.equal(codes, expected_codes.reshape(codes.shape))
    assert torch.allclose(found, expected, atol=1e-6)
    assert codes.min() >= 0
    assert codes.max() < ours.n_codes
    assert len(codes.unique()) > min(ours.n_codes, 50) // 2


@pytest.mark.parametrize(("levels", "groups"), GRIDS)
def test_gradients_are_those_of_vector_quantize_pytorch(levels: tuple[int, ...], groups: int) -> None:
    gradients = []
    for quantizer in pair(levels, groups):
        x = torch.randn(2, 9, 12, generator=torch.Generator().manual_seed(1)).requires_grad_()
        quantizer(x)[0].square().sum().backward()
        assert x.grad is not None
        gradients.append(x.grad)
    assert gradients[0].abs().max() > 0.01
    assert torch.allclose(gradients[0], gradients[1], atol=1e-5)


@pytest.mark.parametrize(("levels", "groups"), GRIDS)
def test_a_code_says_what_the_decoder_gets(levels: tuple[int, ...], groups: int) -> None:
    ours, _ = pair(levels, groups)
    quantised, codes, _ = ours(torch.randn(2, 30, 12))
    assert torch.allclose(ours.embed(codes), quantised, atol=1e-6)


def test_every_code_has_its_own_point() -> None:
    quantizer = GroupedFSQ(4, (4, 3, 5), 1)
    with torch.no_grad():
        quantizer.project_out.weight.copy_(torch.eye(4, 3))
        quantizer.project_out.bias.zero_()
    points = quantizer.embed(torch.arange(60).reshape(1, 60, 1))[0, :, :3]
    assert len(points.unique(dim=0)) == 60
    assert points.abs().max() == 1.0


def identity(levels: tuple[int, ...], groups: int = 1) -> GroupedFSQ:
    """A quantiser whose projections do nothing."""
    dims = len(levels) * groups
    quantizer = GroupedFSQ(dims, levels, groups)
    with torch.no_grad():
        for linear in (quantizer.project_in, quantizer.project_out):
            linear.weight.copy_(torch.eye(dims))
            linear.bias.zero_()
    return quantizer


def test_three_levels_by_hand() -> None:
    """tanh(z) * 1.001 is rounded to -1, 0 or 1: the borders lie where tanh(z) is just below a half, near z = 0.549."""
    z = torch.tensor([-9.0, -0.56, -0.54, 0.0, 0.54, 0.56, 9.0])
    quantised, codes, _ = identity((3,))(z.reshape(1, -1, 1))
    assert codes.flatten().tolist() == [0, 0, 1, 1, 1, 2, 2]
    assert quantised.flatten().tolist() == [-1, -1, 0, 0, 0, 1, 1]


def test_four_levels_by_hand() -> None:
    """A grid with an even number of points has zero and one more point below it than above: -1, -1/2, 0, 1/2.

    The borders lie at -1.150, -0.346 and 0.457.
    """
    z = torch.tensor([-9.0, -1.16, -1.14, -0.36, -0.33, 0.0, 0.44, 0.47, 9.0])
    quantised, codes, _ = identity((4,))(z.reshape(1, -1, 1))
    assert codes.flatten().tolist() == [0, 0, 1, 1, 2, 2, 2, 3, 3]
    assert quantised.flatten().tolist() == [-1, -1, -0.5, -0.5, 0, 0, 0, 0.5, 0.5]


def test_digits_and_groups_by_hand() -> None:
    """The first dimension is the lowest digit, and each group counts for itself."""
    low, middle, high = -9.0, 0.0, 9.0
    frame = torch.tensor([low, high, middle, high, low, low])
    _, codes, _ = identity((3, 3, 3), groups=2)(frame.reshape(1, 1, 6))
    assert codes.flatten().tolist() == [0 + 3 * 2 + 9 * 1, 2 + 0 + 0]


def test_the_gradient_goes_straight_through_the_rounding() -> None:
    quantizer = identity((5,))
    z = torch.linspace(-1.5, 1.5, 31).reshape(1, -1, 1).requires_grad_()
    quantizer(z)[0].sum().backward()
    bounded = 2 * 1.001 * torch.tanh(z.detach())
    slope = (2 * 1.001 - bounded.square() / (2 * 1.001)) / 2
    assert z.grad is not None
    assert torch.allclose(z.grad, slope, atol=1e-5)


def test_codes_are_exact_in_half_precision_projections() -> None:
    """The grid is computed in float32, because bfloat16 cannot tell 1000 codes apart."""
    quantizer = GroupedFSQ(12, (8, 5, 5, 5), 2).bfloat16()
    x = torch.randn(2, 40, 12, generator=torch.Generator().manual_seed(0)).bfloat16() * 4
    quantised, codes, _ = quantizer(x)
    assert quantised.dtype == torch.bfloat16
    assert torch.equal(quantizer.embed(codes), quantised)


LEARNT = [GroupedVQ, GroupedGumbel]


@pytest.mark.parametrize("kind", LEARNT)
def test_a_learnt_code_says_what_the_decoder_gets(kind: type[GroupedVQ] | type[GroupedGumbel]) -> None:
    torch.manual_seed(0)
    quantizer = kind(12, 20, 3, 4).eval()
    quantised, codes, _ = quantizer(torch.randn(2, 30, 12))
    assert codes.shape == (2, 30, 3)
    assert 0 <= int(codes.min()) <= int(codes.max()) < 20
    assert torch.allclose(quantizer.embed(codes), quantised, atol=1e-5)


@pytest.mark.parametrize("kind", LEARNT)
def test_padding_teaches_a_learnt_codebook_nothing(kind: type[GroupedVQ] | type[GroupedGumbel]) -> None:
    results = []
    for noise in (0.0, 100.0):
        torch.manual_seed(0)
        quantizer = kind(12, 20, 2, 4).train()
        x = torch.randn(2, 10, 12)
        mask = (torch.arange(10)[None] < torch.tensor([[10], [6]])).float().unsqueeze(-1)
        _, _, penalty = quantizer(x + noise * (1 - mask), mask)
        results.append((float(penalty.detach()), quantizer.codebook.detach().clone()))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-4)
    assert torch.allclose(results[0][1], results[1][1], atol=1e-5)


def test_a_learnt_codebook_follows_the_running_means() -> None:
    """Two codes and three vectors, by hand.

    A code that no vector chooses for a long time restarts at a vector of the batch.
    """
    quantizer = GroupedVQ(1, 2, 1, 1).train()
    with torch.no_grad():
        quantizer.project_in.weight.fill_(1.0), quantizer.project_in.bias.zero_()
        quantizer.codebook.copy_(torch.tensor([[[0.0], [10.0]]]))
        quantizer.sums.copy_(quantizer.codebook)
    x = torch.tensor([[[1.0], [2.0], [9.0]]])
    _, codes, penalty = quantizer(x)
    assert codes.flatten().tolist() == [0, 0, 1]
    assert float(penalty.detach()) == pytest.approx(0.25 * (1 + 4 + 1))
    assert quantizer.counts[0].tolist() == pytest.approx([0.99 + 0.02, 0.99 + 0.01])
    assert quantizer.codebook[0, :, 0].tolist() == pytest.approx([0.03 / 1.01, (9.9 + 0.09) / 1.0])
    for _ in range(300):
        quantizer(torch.tensor([[[1.0], [1.0], [1.0]]]))
    # the distant code has restarted
    assert sorted(quantizer.codebook[0, :, 0].tolist()) == pytest.approx([1.0, 1.0], abs=0.2)


def test_restarts_keep_a_learnt_codebook_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vectors come from 16 distant clusters: with restarts most of 16 codes find a cluster, without them few do."""

    def used() -> int:
        torch.manual_seed(0)
        quantizer = GroupedVQ(4, 16, 1, 4).train()
        with torch.no_grad():
            quantizer.project_in.weight.copy_(torch.eye(4)), quantizer.project_in.bias.zero_()
        centres = 20 * torch.randn(16, 4)
        for _ in range(400):
            quantizer(centres[torch.randint(16, (1, 64))] + 0.1 * torch.randn(1, 64, 4))
        return len(quantizer.eval()(centres[None])[1].unique())

    with_restarts = used()
    monkeypatch.setattr(GroupedVQ, "least_use", 0.0)
    assert with_restarts >= 10 > 6 >= used()


def test_a_straight_through_gradient_reaches_the_encoder() -> None:
    for kind in LEARNT:
        torch.manual_seed(0)
        x = torch.randn(2, 9, 12, requires_grad=True)
        kind(12, 20, 2, 4).train()(x)[0].square().sum().backward()
        assert x.grad is not None
        assert float(x.grad.abs().max()) > 0
