"""Training on pairs: the losses by hand and by other formulas, and what a network learns from clear preferences."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import scrambled
from triforce_tts import checkpoint, schema
from triforce_tts.errors import CheckpointError, ConfigError, ShardError
from triforce_tts.files import write_json
from triforce_tts.models.frame_gpt import FrameGPT, make_gpt
from triforce_tts.models.gpt import GPTConfig, HeadConfig
from triforce_tts.models.load import load_gpt
from triforce_tts.sampling.score import log_probabilities
from triforce_tts.sequences import PAD, Vocabulary, VocabularyConfig
from triforce_tts.shards import write_index, write_shard
from triforce_tts.stages.preferences import dpo
from triforce_tts.stages.preferences.loss import (
    Likelihoods,
    PreferenceSettings,
    likelihoods,
    margins,
    preference_losses,
)
from triforce_tts.stages.preferences.pairs import Pair, PairDetails, Rendition, pair_sample, sequence_of
from triforce_tts.stages.trainer.loop import Trainer
from triforce_tts.text.tokenizer import TextTokenizer

pytestmark = pytest.mark.usefixtures("one_thread")

TOKENS = (3, 1, 4)
CPU = torch.device("cpu")


def told(better: float, worse: float, better_ids: float = 4, worse_ids: float = 5) -> Likelihoods:
    return Likelihoods(
        *(torch.tensor([value], dtype=torch.float64) for value in (better, worse, better_ids, worse_ids))
    )


def loss_of(policy: Likelihoods, reference: Likelihoods | None, **settings: Any) -> float:
    chosen = PreferenceSettings(**settings)
    return float(preference_losses(margins(policy, reference, chosen), chosen))


# --- the losses -------------------------------------------------------------------------------------------------------


def test_dpo_by_hand() -> None:
    # The better one became 1 nat likelier, the worse one .5 nats less likely: m = .5 * 1.5, loss = ln(1 + exp(-.75)).
    policy, reference = told(-10.0, -12.0), told(-11.0, -11.5)
    assert loss_of(policy, reference, beta=0.5) == pytest.approx(0.386871, abs=1e-6)
    assert loss_of(reference, reference, beta=0.5) == pytest.approx(math.log(2))
    # Means over 4 and 5 ids: m = .5 * ((-2.5 + 2.75) - (-2.4 + 2.3)) = .175.
    assert loss_of(policy, reference, beta=0.5, by_length=True) == pytest.approx(math.log1p(math.exp(-0.175)))
    # A tenth of the pairs is the wrong way round: .9 ln(1 + exp(-.75)) + .1 ln(1 + exp(.75)).
    assert loss_of(policy, reference, beta=0.5, label_smoothing=0.1) == pytest.approx(0.461871, abs=1e-6)


def test_dpo_is_the_choice_of_bradley_and_terry() -> None:
    """With rewards beta log(pi / ref) the better one is chosen in a share of (pi_b/ref_b)^beta of both ratios."""
    policy, reference = (0.03, 0.002), (0.01, 0.004)
    ratios = [(p / r) ** 0.3 for p, r in zip(policy, reference, strict=True)]
    expected = -math.log(ratios[0] / sum(ratios))
    found = loss_of(told(*map(math.log, policy)), told(*map(math.log, reference)), beta=0.3)
    assert found == pytest.approx(expected)


def test_simpo_by_hand() -> None:
    # Means are -2.5 and -2.4 nats an id: m = 2 * -.1, and gamma asks for .3 more.
    found = loss_of(told(-10.0, -12.0), None, kind="simpo", beta=2.0, gamma=0.3)
    assert found == pytest.approx(math.log1p(math.exp(0.5)))


def test_orpo_by_hand() -> None:
    better, worse = 0.5**4, 0.25**5  # the mean probability of an id is a half, and a quarter: odds of 1 and of 1/3
    found = loss_of(told(math.log(better), math.log(worse)), None, kind="orpo", nll_weight=1.0)
    assert found == pytest.approx(math.log1p(1 / 3))


@pytest.mark.parametrize("kind", ["dpo", "simpo", "orpo"])
def test_a_loss_falls_when_the_better_one_is_likelier(kind: Any) -> None:
    policy = told(-10.0, -12.0)
    for value in (policy.better, policy.worse):
        value.requires_grad_()
    chosen = PreferenceSettings(kind=kind, nll_weight=1.0)
    preference_losses(margins(policy, told(-11.0, -11.5), chosen), chosen).sum().backward()
    assert policy.better.grad is not None and float(policy.better.grad) < 0
    assert policy.worse.grad is not None and float(policy.worse.grad) > 0


@pytest.mark.parametrize(
    ("settings", "told_of"),
    [
        ({"kind": "dpo", "gamma": 0.5}, "gamma belongs to kind simpo"),
        ({"kind": "simpo", "by_length": True}, "by_length belongs to kind dpo"),
        ({"kind": "orpo"}, "set nll_weight"),
        ({"beta": 0.0}, "beta"),
        ({"label_smoothing": 0.5}, "label_smoothing"),
    ],
)
def test_contradictions_are_refused(settings: dict[str, Any], told_of: str) -> None:
    with pytest.raises(ConfigError, match=told_of):
        schema.parse(PreferenceSettings, settings, "x.yaml")


# --- log P of renditions ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[True, False], ids=["frames", "codes"])
def checkpoint_of_a_gpt(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of stage 2 that reads its text in place."""
    by_frames = bool(request.param)
    sizes = VocabularyConfig(n_text=TextTokenizer().size, n_codes=8, groups=2, reads=True, by_frames=by_frames)
    head = HeadConfig(layers=1, hidden=16) if by_frames else None
    shape = GPTConfig(layers=2, dim=32, heads=4, hidden=48, max_tokens=96, head=head, residual_dropout=0.3)
    network = scrambled(make_gpt(shape, Vocabulary(sizes)))
    folder = tmp_path_factory.mktemp("gpt")
    config = {
        "stage": "gpt", "model": shape.model_dump(mode="json"), "vocabulary": sizes.model_dump(mode="json"),
        "voice_seconds": [0.2, 0.4], "characters_per_second": 15.0,
    }  # fmt: skip
    lineage = {"dvae": "d", "tokenizer": TextTokenizer().fingerprint, "data": "x"}
    checkpoint.save(folder, network.state_dict(), config, lineage)
    return folder


def rendition(seed: int, code: int | None = None) -> Rendition:
    """Six frames or so of random codes, or of one code."""
    rng = torch.Generator().manual_seed(seed)
    frames = 5 + seed % 3
    codes = torch.randint(8, (frames, 2), generator=rng) if code is None else torch.full((frames, 2), code)
    return Rendition(codes, (0, 2, 3), seed % 2 == 0)


def pairs_folder(folder: Path, init: Path, train: int, heldout: int, clear: bool) -> Path:
    """Pairs of random codes, or clear ones: the better rendition is all of code 1, the worse one of code 6."""
    lineage = checkpoint.read_lineage(init)
    details = PairDetails(
        dvae=lineage["dvae"], groups=2, n_codes=8, code_rate=10.0, tokenizer=lineage["tokenizer"], gpt=lineage["id"],
        reads=True,
    )  # fmt: skip
    splits = {}
    for split, count, first in (("train", train, 0), ("heldout", heldout, 100)):
        samples = []
        for seed in range(first, first + count):
            ends = (rendition(seed, 1), rendition(seed + 1, 6)) if clear else (rendition(seed), rendition(seed + 7))
            voice = torch.randint(8, (2, 2), generator=torch.Generator().manual_seed(seed))
            made = Pair(voice, TOKENS, *ends)
            samples.append(pair_sample(f"p{seed}", made, details, {"text": "x", "speaker": "s"}, (0, 1)))
        splits[split] = [write_shard(folder / f"{split}-000000.tar", samples)]
    write_index(folder, "pairs", splits, details.model_dump())
    return folder


def task_of(pairs: Path, init: Path, *settings: str, data: tuple[Path, ...] = ()) -> dpo.PreferenceTask:
    wanted = schema.load(dpo.DPOSettings, "dpo", "tiny", [f"run.init_from={init}", *settings])
    return dpo.build(wanted, [pairs], init, data)


@torch.no_grad()
def test_log_p_is_that_of_the_score_and_padding_changes_nothing(checkpoint_of_a_gpt: Path, tmp_path: Path) -> None:
    task = task_of(pairs_folder(tmp_path, checkpoint_of_a_gpt, 3, 0, clear=False), checkpoint_of_a_gpt)
    items = [task.sample(index, torch.Generator()) for index in range(3)]
    network = task.module.network.eval()
    together = likelihoods(network, task.collate(items))
    for row, (better, worse, _) in enumerate(items):
        alone = likelihoods(network, task.collate([items[row]]))
        for sequence, one, all_of_them, ids in (
            (better, alone.better, together.better, together.better_ids),
            (worse, alone.worse, together.worse, together.worse_ids),
        ):
            (nats,) = log_probabilities(network, [sequence.ids])
            wanted = torch.tensor(sequence.weights[1:]) > 0
            assert float(one) == pytest.approx(float(nats[wanted].sum()), abs=1e-4)
            assert float(all_of_them[row]) == pytest.approx(float(one), abs=1e-4)
            assert int(ids[row]) == int(wanted.sum())


@torch.no_grad()
def test_log_p_of_a_rendition_one_id_after_the_other(checkpoint_of_a_gpt: Path) -> None:
    """The first id of a step comes from the whole vocabulary, every further code of a frame from its own group."""
    network, vocabulary = load_gpt(checkpoint_of_a_gpt)
    voice = torch.tensor([[1, 2]])
    sequence = sequence_of(vocabulary, voice, TOKENS, rendition(2))
    steps = network.pack(sequence.ids)
    total = 0.0
    for place in range(len(network.pack(vocabulary.read_prompt(voice, TOKENS))), len(steps)):
        state = network.hidden(steps[None, :place])[:, -1]
        total += float(network.logits(state)[0].double().log_softmax(-1)[steps[place, 0]])
        for group in range(1, int((steps[place] != PAD).sum())):
            assert isinstance(network, FrameGPT)
            logits = network.code_logits(state, steps[place : place + 1, :group])[0].double()
            total += float(logits.log_softmax(-1)[steps[place, group] - vocabulary.group_range(group)[0]])
    (nats,) = log_probabilities(network, [sequence.ids])
    assert total == pytest.approx(float(nats[torch.tensor(sequence.weights[1:]) > 0].sum()), abs=1e-3)


# --- training ---------------------------------------------------------------------------------------------------------


def test_the_first_loss_is_that_of_no_preference(checkpoint_of_a_gpt: Path, tmp_path: Path) -> None:
    task = task_of(pairs_folder(tmp_path, checkpoint_of_a_gpt, 3, 0, clear=False), checkpoint_of_a_gpt)
    batch = task.collate([task.sample(index, torch.Generator()) for index in range(3)])
    assert (batch.better[..., 0] == PAD).any()
    loss, logged = task.module.train()(batch)  # the checkpoint's dropout of .3 is off
    assert float(logged["preference_loss"]) / 3 == pytest.approx(math.log(2), abs=1e-6)
    assert task.expected_first_loss == pytest.approx(math.log(2))
    assert float(loss.detach()) == pytest.approx(3 * math.log(2) + 0.1 * float(logged["nats_of_better"]), abs=1e-4)


@pytest.mark.parametrize(
    "loss", [["loss.kind=dpo"], ["loss.kind=simpo", "loss.beta=2.0"], ["loss.kind=orpo", "loss.nll_weight=1.0"]]
)
def test_a_clear_preference_is_learnt_in_a_few_steps(
    checkpoint_of_a_gpt: Path, tmp_path: Path, loss: list[str]
) -> None:
    pairs = pairs_folder(tmp_path / "pairs", checkpoint_of_a_gpt, 8, 6, clear=True)
    task = task_of(pairs, checkpoint_of_a_gpt, *loss, "run.ema=0.0")
    before = task.validate(task.module.network.eval(), CPU, 6)
    trainer: Trainer[Any, Any] = Trainer(task, task.settings.run, tmp_path / "run", {})
    trainer.fit()
    after = task.validate(trainer.network.eval(), CPU, 6)
    assert after["accuracy"] == 1.0
    assert after["margin"] > before["margin"] + 0.5
    assert after["nats_of_better"] < before["nats_of_better"]
    assert after["nats_of_worse"] - after["nats_of_better"] > before["nats_of_worse"] - before["nats_of_better"] + 0.3


def test_a_run_that_is_stopped_goes_on_as_if_it_were_not(checkpoint_of_a_gpt: Path, tmp_path: Path) -> None:
    pairs = pairs_folder(tmp_path / "pairs", checkpoint_of_a_gpt, 7, 2, clear=False)

    def run(name: str, stop_at: int) -> Path:
        task = task_of(pairs, checkpoint_of_a_gpt, "run.steps=4", f"run.stop_at={stop_at}", "run.batch_size=3")
        Trainer(task, task.settings.run, tmp_path / name, {}).fit()
        return tmp_path / name

    whole = run("whole", 0)
    run("parts", 2)
    parts = run("parts", 0)
    one, other = (checkpoint.load_tensors(checkpoint.locate(path) / checkpoint.WEIGHTS) for path in (whole, parts))
    assert all(torch.equal(one[name], other[name]) for name in one)
    started = checkpoint.load_tensors(checkpoint_of_a_gpt / checkpoint.WEIGHTS)
    assert any(not torch.equal(one[name], started[name]) for name in one)

    # What comes of it is a checkpoint of stage 2 with the dropout that it had, and it says what it was made of.
    network, _ = load_gpt(parts)
    assert network.config.residual_dropout == 0.3
    lineage = checkpoint.read_lineage(parts)
    assert lineage["reference"] == checkpoint.read_lineage(checkpoint_of_a_gpt)["id"]
    assert lineage["dvae"] == "d"


def test_parts_of_a_batch_have_the_gradient_of_the_whole(checkpoint_of_a_gpt: Path, tmp_path: Path) -> None:
    task = task_of(pairs_folder(tmp_path, checkpoint_of_a_gpt, 4, 0, clear=False), checkpoint_of_a_gpt)
    batch = task.collate([task.sample(index, torch.Generator()) for index in range(4)])
    gradients = []
    for parts in (1, 3):
        task.module.zero_grad()
        for part in batch.split(parts):
            task.module(part)[0].backward()
        gradients.append(torch.cat([p.grad.flatten() for p in task.module.parameters() if p.grad is not None]))
    assert torch.allclose(*gradients, atol=1e-4)
    assert task.weight(batch) == 4.0


def test_what_does_not_belong_together_is_refused(checkpoint_of_a_gpt: Path, tmp_path: Path) -> None:
    pairs = pairs_folder(tmp_path / "pairs", checkpoint_of_a_gpt, 2, 0, clear=False)
    other = tmp_path / "other"
    other.mkdir()
    config = checkpoint.read_config(checkpoint_of_a_gpt, "gpt")
    weights = checkpoint.load_tensors(checkpoint_of_a_gpt / checkpoint.WEIGHTS)
    lineage = {**checkpoint.read_lineage(checkpoint_of_a_gpt), "dvae": "another"}
    checkpoint.save(other, weights, config, lineage)
    with pytest.raises(CheckpointError, match="mismatched DVAE"):
        task_of(pairs, other)
    write_json(other / "lineage.json", {**lineage, "dvae": "d", "tokenizer": "another"})
    with pytest.raises(CheckpointError, match="mismatched text tokenizer"):
        task_of(pairs, other)
    write_json(other / "config.json", {**config, "stage": "dvae"})
    with pytest.raises(CheckpointError, match="expected a gpt checkpoint, found one of stage 'dvae'"):
        task_of(pairs, other)


def test_a_pair_that_does_not_fit_into_the_network_is_named(checkpoint_of_a_gpt: Path, tmp_path: Path) -> None:
    lineage = checkpoint.read_lineage(checkpoint_of_a_gpt)
    details = PairDetails(
        dvae="d", groups=2, n_codes=8, code_rate=10.0, tokenizer=lineage["tokenizer"], gpt="g", reads=True
    )
    long = Rendition(torch.ones(100, 2, dtype=torch.long), (0, 1, 2), True)
    for name, tokens, worse in (("long", TOKENS, long), ("token", (3, 1, 999), rendition(0))):
        sample = pair_sample("p0", Pair(torch.ones(1, 2).long(), tokens, rendition(2), worse), details, {}, (0, 1))
        folder = tmp_path / name
        write_index(
            folder, "pairs", {"train": [write_shard(folder / "train-000000.tar", [sample])], "heldout": []},
            details.model_dump(),
        )  # fmt: skip
        with pytest.raises(ShardError, match="pair 'p0'"):
            task_of(folder, checkpoint_of_a_gpt).sample(0, torch.Generator())


def test_held_out_speech_is_validated_too(model: Path, corpus: dict[str, Path], tmp_path: Path) -> None:
    init = dpo.gpt_of(model)
    assert init == model / "gpt"
    code = checkpoint.read_lineage(init)
    rate = 8000 / 64 / 4
    sizes = load_gpt(init)[1].config
    details = PairDetails(
        dvae=code["dvae"], groups=sizes.groups, n_codes=sizes.n_codes, code_rate=rate, tokenizer=code["tokenizer"],
        gpt=code["id"], reads=sizes.reads,
    )  # fmt: skip
    ends = [Rendition(torch.zeros(5 + n, sizes.groups, dtype=torch.long), (), True) for n in (0, 1)]
    samples = [pair_sample("p0", Pair(ends[0].codes, TOKENS, *ends), details, {"text": "x"}, (0, 1))]
    infos = [write_shard(tmp_path / "pairs" / "train-000000.tar", samples)]
    write_index(tmp_path / "pairs", "pairs", {"train": infos, "heldout": []}, details.model_dump())
    coded = model.parent / "codes"
    task = task_of(tmp_path / "pairs", init, data=(coded,))
    figures = task.validate(task.module.network.eval(), CPU, 2)
    assert 0 < figures["speech_loss"] < 20
    with pytest.raises(CheckpointError, match="mismatched DVAE"):
        task_of(tmp_path / "pairs", init, data=(corpus["codes"],))
