"""The optimisers: their definitions, and that a run resumes with each."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.training import trainer
from triforce_tts.stages.trainer.optim import SMORMS3, Muon, make_optimizer, orthogonalised
from triforce_tts.stages.trainer.settings import RunSettings

pytestmark = pytest.mark.usefixtures("one_thread")


def test_smorms3_follows_its_definition() -> None:
    """Compares the optimiser with the author's lines in NumPy, over steps whose gradients change sign and size."""
    rng = np.random.default_rng(0)
    x = np.array([1.0, -2.0, 0.5])
    parameter = nn.Parameter(torch.tensor(x))
    optimizer = SMORMS3([parameter], lr=0.05)
    memory, g, g2, eps = np.ones(3), np.zeros(3), np.zeros(3), 1e-16
    for _ in range(20):
        gradient = rng.normal([0.0, 1.0, 5.0], [1.0, 0.1, 4.0])
        r = 1 / (memory + 1)
        g, g2 = (1 - r) * g + r * gradient, (1 - r) * g2 + r * gradient**2
        memory = 1 + memory * (1 - g * g / (g2 + eps))
        x = x - gradient * np.minimum(0.05, g * g / (g2 + eps)) / (np.sqrt(g2) + eps)
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        assert parameter.detach().numpy() == pytest.approx(x, abs=1e-12)


def test_muon_is_torchs_for_matrices_and_adamw_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three layers, two of them of one shape; ten steps of torch's own Muon and AdamW are compared with ours."""
    # torch's iterations in float32, like ours on a CPU
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.float)
    torch.manual_seed(0)
    ours = nn.Sequential(nn.Embedding(7, 24), nn.Linear(24, 24), nn.Linear(24, 24), nn.Linear(24, 40))
    theirs = copy.deepcopy(ours)
    optimizer = make_optimizer(ours, RunSettings(batch_size=1, learning_rate=1e-2, steps=1, optimizer="muon"))
    matrices = [p for name, p in theirs.named_parameters() if name[0] in "123" and p.dim() == 2]
    reference = [
        torch.optim.Muon(matrices, lr=1e-2, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(theirs[0].parameters(), lr=1e-2, betas=(0.9, 0.97), weight_decay=0.01),
        torch.optim.AdamW([theirs[i].bias for i in (1, 2, 3)], lr=1e-2, betas=(0.9, 0.97), weight_decay=0.0),
    ]
    for step in range(10):
        ids = torch.randint(7, (5,), generator=torch.Generator().manual_seed(step))
        for network, steppers in ((ours, [optimizer]), (theirs, reference)):
            network.zero_grad()
            network(ids).square().sum().backward()
            for stepper in steppers:
                stepper.step()
    for (name, found), expected in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert (found - expected).abs().max() < 1e-4, name  # the order of sums differs


def test_orthogonalised_matrices_have_singular_values_near_one() -> None:
    rng = torch.Generator().manual_seed(0)
    for shape in ((3, 64, 64), (2, 96, 32), (2, 32, 96)):
        u, s, v = torch.linalg.svd(torch.randn(shape, generator=rng), full_matrices=False)
        steep = u @ torch.diag_embed(torch.linspace(1.0, 0.1, s.shape[1]).expand_as(s)) @ v
        values = torch.linalg.svdvals(orthogonalised(steep))
        assert values.min() > 0.6
        assert values.max() < 1.3


@pytest.mark.parametrize(("name", "kind"), [("smorms3", SMORMS3), ("muon", Muon)])
def test_an_optimiser_by_name_resumes_exactly(
    name: str, kind: type[torch.optim.Optimizer], corpus: dict[str, Path], tmp_path: Path
) -> None:
    chosen = [f"run.optimizer={name}", "run.learning_rate=0.01", "run.log_every=1"]
    whole = trainer("gpt", corpus, tmp_path / "whole", [*chosen, "run.steps=6"])
    assert isinstance(whole.learner.optimizer.optimizer, kind)
    whole.fit()
    trainer("gpt", corpus, tmp_path / "broken", [*chosen, "run.steps=6", "run.stop_at=3"]).fit()
    broken = trainer("gpt", corpus, tmp_path / "broken", [*chosen, "run.steps=6"])
    broken.fit()
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, broken.network.state_dict()[name])
