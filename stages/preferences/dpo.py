"""After stage 2: train its network on pairs of renditions of which one is better. The losses are in ``loss``.

The network begins as the checkpoint of ``--init`` and stays stage 2's. Dropout is off, so that the reference and the network
are equal at the first step; the checkpoint's configuration keeps its dropout for later training.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn

from triforce_tts import checkpoint
from triforce_tts.batches import pad_stack
from triforce_tts.errors import ShardError
from triforce_tts.models.frame_gpt import make_gpt
from triforce_tts.models.gpt import GPT, GPTConfig
from triforce_tts.models.load import GPTCheckpoint, load_gpt, read_stage
from triforce_tts.schema import Config
from triforce_tts.sequences import TokenSequence, Vocabulary, VocabularyConfig
from triforce_tts.shards import ShardSet
from triforce_tts.synthesis.script import Training
from triforce_tts.text.tokenizer import TextTokenizer

from ..gpt import LENGTH_MULTIPLE, GPTTask, speech_losses
from ..gpt import NAME as GPT_STAGE
from ..gpt_data import code_details, fitting
from ..gpt_loss import place_weights
from ..gpt_settings import GPTSettings, SequenceSettings
from ..trainer.preview import Preview
from ..trainer.settings import DataSettings, RunSettings
from ..trainer.task import mean
from .loss import PairBatch, PairLosses, PreferenceSettings
from .pairs import PairDetails, read_pair, read_pair_details, sequence_of

NAME = "dpo"
VALIDATED_TOGETHER = 8  # So many pairs are validated in one batch.

PairItem = tuple[TokenSequence, TokenSequence, float]


class DPOSettings(Config):
    """The whole of ``configs/dpo/*.yaml``; the sizes are those of the checkpoint that training starts from."""

    loss: PreferenceSettings = PreferenceSettings()
    data: DataSettings = DataSettings()
    run: RunSettings


class PreferenceTask:
    """Training on pairs for the loop; its checkpoints are stage 2's."""

    name = GPT_STAGE
    parts: ClassVar[dict[str, type[Config]]] = {"model": GPTConfig, "vocabulary": VocabularyConfig}
    criterion = "preference_loss"
    notes: Sequence[str] = ()

    def __init__(
        self,
        settings: DPOSettings,
        train: ShardSet,
        heldout: ShardSet,
        init: Path,
        speech: GPTTask | None = None,
    ) -> None:
        self.settings, self.train, self.heldout, self.init, self.speech = settings, train, heldout, init, speech
        self.errors = ("preference_loss", "nats_of_better", *(("speech_loss",) if speech else ()))
        self.details = read_pair_details(train)
        network, self.vocabulary = quiet_gpt(init)
        self.module = PairLosses(network, settings.loss)
        self.durations_s = tuple(train.durations_s)
        self.keys = train.keys
        self.expected_first_loss = math.log(2) if settings.loss.kind == "dpo" else None

    def sample(self, index: int, rng: torch.Generator) -> PairItem:
        """The sequences of pair ``index``, and its seconds of speech; nothing is drawn at random."""
        return self._sequences(self.train, index)

    def _sequences(self, shards: ShardSet, index: int) -> PairItem:
        pair, longest = read_pair(shards, index, self.details), self.module.network.config.max_tokens
        better, worse = (
            sequence_of(self.vocabulary, pair.voice, pair.tokens, one) for one in (pair.better, pair.worse)
        )
        steps = max(self.vocabulary.count_steps(one.ids) for one in (better, worse))
        if steps > longest or max(pair.tokens) >= self.vocabulary.config.n_text:
            raise ShardError(
                f"pair '{shards.keys[index]}': a sequence of {steps} steps and text tokens up to {max(pair.tokens)}, at most "
                f"{longest} steps and tokens up to {self.vocabulary.config.n_text - 1} fit {self.init}: draw the pairs with it"
            )
        return better, worse, shards.durations_s[index]

    def length(self, index: int, rng: torch.Generator) -> float:
        """The seconds of both renditions."""
        return self.durations_s[index]

    def collate(self, items: Sequence[PairItem]) -> PairBatch:
        """A batch of pairs, all sequences padded at their ends to one length."""
        sequences = [better for better, _, _ in items] + [worse for _, worse, _ in items]
        packed = [self.vocabulary.pack(sequence.ids) for sequence in sequences]
        ids, _ = pad_stack(packed, LENGTH_MULTIPLE)
        weights = [
            place_weights(steps, sequence.weights) > 0 for steps, sequence in zip(packed, sequences, strict=True)
        ]
        masks, _ = pad_stack(weights, LENGTH_MULTIPLE)
        longest = self.module.network.config.max_tokens  # Everything beyond this length is padding.
        (better, worse), (better_mask, worse_mask) = (x[:, :longest].chunk(2) for x in (ids, masks))
        seconds = torch.tensor([seconds for _, _, seconds in items])
        return PairBatch(better, better_mask, worse, worse_mask, seconds)

    def weight(self, batch: PairBatch) -> float:
        """The number of pairs."""
        return float(len(batch))

    def seconds(self, batch: PairBatch) -> float:
        """The seconds of speech in the batch."""
        return float(batch.speech_s.sum())

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device, samples: int) -> dict[str, float]:
        """The means over held-out pairs, and the loss of held-out speech (nats a code) if speech is given."""
        assert isinstance(network, GPT)
        count, sums = min(samples, len(self.heldout)), dict[str, float]()
        for start in range(0, count, VALIDATED_TOGETHER):
            some = range(start, min(count, start + VALIDATED_TOGETHER))
            batch = self.collate([self._sequences(self.heldout, index) for index in some])
            for name, value in self.module.judged(network, batch.to(device))[1].items():
                sums[name] = sums.get(name, 0.0) + float(value)
        figures = {name: mean(value, count) for name, value in sums.items()}
        if self.speech is not None:
            losses = speech_losses(self.speech, network, samples)
            figures["speech_loss"] = mean(sum(total for total, _ in losses), sum(number for _, number in losses))
        return figures

    def preview(self, network: nn.Module, device: torch.device, index: int) -> Preview:
        """An empty preview: pairs give nothing to look at."""
        return Preview(self.heldout.keys[index])

    def config(self) -> dict[str, Any]:
        """The configuration of the checkpoint that training starts from."""
        return {key: value for key, value in checkpoint.read_config(self.init, GPT_STAGE).items() if key != "format"}

    def lineage(self) -> dict[str, Any]:
        """What this network was trained with; ``reference`` is the checkpoint that it starts from."""
        lineage = checkpoint.read_lineage(self.init)
        return {
            "data": self.train.fingerprint,
            "dvae": lineage.get("dvae"),
            "tokenizer": lineage.get("tokenizer"),
            "reference": lineage["id"],
        }


def quiet_gpt(path: Path) -> tuple[GPT, Vocabulary]:
    """The GPT at ``path`` without dropout, and its vocabulary."""
    trained, vocabulary = load_gpt(path)
    network = make_gpt(trained.config.model_copy(update={"dropout": 0.0, "residual_dropout": 0.0}), vocabulary)
    network.load_state_dict(trained.state_dict())
    return network, vocabulary


def gpt_of(init: Path) -> Path:
    """The stage 2 checkpoint at ``init``, which is a model folder, a run, or a checkpoint."""
    return init / GPT_STAGE if (init / GPT_STAGE).is_dir() else init


def build(settings: DPOSettings, pairs: Sequence[Path], init: Path, data: Sequence[Path] = ()) -> PreferenceTask:
    """The task on the ``pairs``, from the stage 2 checkpoint ``init``; held-out speech of ``data`` is validated too.

    Raises:
        CheckpointError: pairs, speech and checkpoint are not of one DVAE and one text tokenizer.
        ShardError: an index is damaged, or there are no pairs.
    """
    train, heldout = settings.data.open(pairs, "pairs")
    details = read_pair_details(train)
    checkpoint.read_config(init, GPT_STAGE)  # refuses a checkpoint of another stage
    lineage = checkpoint.read_lineage(init)
    checkpoint.require_same("DVAE", str(init), lineage.get("dvae"), str(pairs[0]), details.dvae)
    checkpoint.require_same("text tokenizer", str(init), lineage.get("tokenizer"), str(pairs[0]), details.tokenizer)
    return PreferenceTask(settings, train, heldout, init, _speech(settings, data, init, details) if data else None)


def _speech(settings: DPOSettings, data: Sequence[Path], init: Path, details: PairDetails) -> GPTTask:
    """Stage 2's task on the held-out samples of ``data``, of which only the validation is used."""
    heldout = ShardSet.open(data, "heldout", "codes")
    if not len(heldout):
        raise ShardError(f"{data[0]}: --data is for held-out speech, and nothing is held out there; leave it out")
    code = code_details(heldout)
    checkpoint.require_same("DVAE", str(data[0]), code["dvae"], str(init), details.dvae)
    trained, shape = read_stage(init, GPT_STAGE, Training), read_stage(init, GPT_STAGE, GPTCheckpoint)
    sequences = SequenceSettings(voice_seconds=trained.voice_seconds, reads=shape.vocabulary.reads)
    gpt_settings = GPTSettings(model=shape.model, data=sequences, run=settings.run)
    usable = fitting("held-out", heldout, gpt_settings, code, TextTokenizer())
    return GPTTask(gpt_settings, usable, usable, code)
