"""Stage 2: train the GPT on coded shards, in four kinds of sequence. The loss is cross-entropy, nats a token."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn

from triforce_tts.batches import pad_stack
from triforce_tts.errors import ConfigError, ShardError
from triforce_tts.models.frame_gpt import make_gpt
from triforce_tts.models.gpt import GPT, GPTConfig
from triforce_tts.sampling.score import log_probabilities
from triforce_tts.schema import Config
from triforce_tts.sequences import END, PAD, SPEECH, TEXT, VOICE, TokenSequence, Vocabulary, VocabularyConfig
from triforce_tts.shards import ShardSet
from triforce_tts.synthesis.script import SpeakingLimits
from triforce_tts.text import alignment
from triforce_tts.text.pace import least_seconds
from triforce_tts.text.tokenizer import TextTokenizer

from .codes import read_codes, read_text
from .gpt_data import Usable, code_details, fitting, frame_steps, previous_samples
from .gpt_loss import GPTLosses, Tokens, place_weights
from .gpt_settings import GPTSettings
from .trainer.preview import Preview
from .trainer.task import mean

__all__ = ["NAME", "GPTLosses", "GPTSettings", "GPTTask", "Tokens", "build", "speech_losses", "token_nats"]

NAME = "gpt"
LENGTH_MULTIPLE = 32  # a batch is padded to a multiple of so many tokens
# So many samples, taken evenly from the data (some three hours), give the least seconds of each symbol.
MEASURED = 2000
# The guidance of a new model that reads its text in place, as measured with `nano`: with more guidance DNSMOS falls, and hardly
# fewer words are wrong (docs/gpt.md#guidance).
GUIDANCE = 1.6
KINDS = ("speak", "listen", "speech", "text")


class GPTTask:
    """Stage 2 for the loop."""

    name = NAME
    parts: ClassVar[dict[str, type[Config]]] = {"model": GPTConfig, "vocabulary": VocabularyConfig}
    criterion = "nats"
    errors = ("speech_loss", "text_loss")

    def __init__(
        self,
        settings: GPTSettings,
        train: Usable,
        heldout: Usable,
        code: dict[str, Any],
    ) -> None:
        self.notes = tuple(usable.note for usable in (train, heldout) if usable.note)
        self.settings, self.train, self.heldout, self.code = settings, train.samples, heldout.samples, code
        self.characters = train.characters
        self.tokenizer = TextTokenizer()
        sizes = VocabularyConfig(
            n_text=self.tokenizer.size,
            n_codes=code["n_codes"],
            groups=code["groups"],
            reads=settings.data.reads,
            by_frames=settings.model.head is not None,
        )
        if sizes.by_frames and sizes.groups < 2:
            raise ConfigError("model.head: the frames of this data have one code each; set model.head=null")
        self.vocabulary = Vocabulary(sizes)
        if settings.data.guide_layers and max(settings.data.guide_layers) >= settings.model.layers:
            raise ConfigError(
                f"data.guide_layers {list(settings.data.guide_layers)}: the model has {settings.model.layers} layers"
            )
        self.module = GPTLosses(make_gpt(settings.model, self.vocabulary), settings.data)
        self.durations_s = tuple(self.train.durations_s)
        self.keys = self.train.keys
        if settings.data.previous_share:
            self.notes += (self._note_of_order(),)
        self.speaking = self._limits()
        self.expected_first_loss = None if settings.run.init_from else self._guess()

    def _note_of_order(self) -> str:
        count = len(previous_samples(self.train))
        if not count:
            raise ConfigError(
                "data.previous_share: no training sample follows another one; the keys of consecutive recordings of a "
                "reader end with numbers that count up"
            )
        return f"data.previous_share: {count} of {len(self.train)} training samples follow another one"

    def _guess(self) -> float:
        """The nats of a target if all ids are equally likely.

        The first id of a step may be any; by frames, the other codes of a frame come from their own group alone.
        """
        any_id, inside = math.log(self.vocabulary.size), self.vocabulary.width - 1
        rate: float = self.code["code_rate"]
        # the text symbols that stand beside a frame
        symbols = self.settings.data.reads * self.characters_per_second / rate
        frame = any_id + inside * math.log(self.vocabulary.config.n_codes)
        return (frame + symbols * any_id) / (1 + inside + symbols)

    def sample(self, index: int, rng: torch.Generator) -> tuple[TokenSequence, float]:
        """A sequence of a random kind."""
        sequence = self.sequence(self.train, index, self._kind(rng), rng)
        steps = self.vocabulary.count_steps(sequence.ids)
        if steps > self.settings.model.max_tokens:
            raise ShardError(
                f"sample '{self.keys[index]}': a sequence of {steps} steps, at most "
                f"{self.settings.model.max_tokens} fit: its codes are longer than its duration_s says; "
                "run 'triforce-tts codes' again"
            )
        return sequence, self.durations_s[index]

    def length(self, index: int, rng: torch.Generator) -> float:
        """The rough number of steps of the sequence, by the kind and the voice that ``sample`` draws first.

        A letter or a sound of the text counts as a character.
        """
        kind, seconds = self._kind(rng), self.durations_s[index]
        text, second = float(self.characters[index]), float(self.code["code_rate"] * self.vocabulary.frame_steps)
        if kind == "text":
            return text
        if kind == "speak":
            return (1 + self.settings.data.reads) * text + (self._voice_seconds(rng) + seconds) * second
        return seconds * second + (text if kind == "listen" else 0.0)

    def _kind(self, rng: torch.Generator) -> str:
        return KINDS[int(torch.multinomial(torch.tensor(self.settings.data.mixture), 1, generator=rng))]

    def _voice_seconds(self, rng: torch.Generator) -> float:
        low, high = self.settings.data.voice_seconds
        return low + (high - low) * float(torch.rand((), generator=rng))

    def sequence(
        self, shards: ShardSet, index: int, kind: str, rng: torch.Generator, text: str | None = None
    ) -> TokenSequence:
        """The sequence of ``kind`` of sample ``index``; another ``text`` than its own on request."""
        data = self.settings.data
        if kind == "speak":
            return self.speak(shards, index, rng, data.plain_share, text)
        codes = self._codes(shards, index)
        if kind == "speech":
            return self.vocabulary.speech_alone(codes)
        letters = self.tokenizer.encode_letters(read_text(shards, index).normalized if text is None else text)
        if kind == "text":
            return self.vocabulary.text_alone(letters)
        return self.vocabulary.listen(codes, letters, data.speech_weight)

    def speak(
        self, shards: ShardSet, index: int, rng: torch.Generator, plain_share: float, text: str | None = None
    ) -> TokenSequence:
        """Sample ``index`` as speech.

        Where its alignment is known the text stands in its place, except in ``plain_share`` of cases.
        """
        data, meta = self.settings.data, read_text(shards, index)
        voice = self._voice(shards, index, rng)
        codes = self._codes(shards, index)
        pieces = self.tokenizer.spell(meta.normalized if text is None else text, data.letters_share, rng)
        tokens = self.tokenizer.ids(pieces)
        words = meta.alignment if data.reads else None
        if words is None or float(torch.rand((), generator=rng)) < plain_share:
            return self.vocabulary.speak(voice, tokens, codes, data.text_weight)
        if text is None:
            starts = alignment.symbol_starts(pieces, words)
            frames = [min(len(codes), round(start * self.code["code_rate"])) for start in starts]
        # The text of another sample has no times in this speech, so its symbols are spread evenly.
        else:
            frames = [i * len(codes) // len(tokens) for i in range(len(tokens))]
        return self.vocabulary.read_aloud(voice, tokens, frames, codes, data.text_weight)

    def _codes(self, shards: ShardSet, index: int) -> torch.Tensor:
        return read_codes(shards, index, self.code["groups"], self.code["n_codes"])

    def _voice(self, shards: ShardSet, index: int, rng: torch.Generator) -> torch.Tensor:
        """The codes of another clip by the same speaker, or of this clip if there is no other.

        In ``data.previous_share`` of cases they are the end of the clip before this one, if there is one.
        """
        seconds, other, share = self._voice_seconds(rng), index, self.settings.data.previous_share
        previous = previous_samples(shards).get(index) if share else None
        if previous is not None and float(torch.rand((), generator=rng)) < share:
            return self._codes(shards, previous)[-max(1, round(seconds * self.code["code_rate"])) :]
        others = shards.by_speaker[shards.speakers[index]]
        if len(others) > 1:
            other = others[int(torch.randint(len(others) - 1, (), generator=rng))]
            if shards.keys[other] == shards.keys[index]:
                other = others[-1]
        codes = self._codes(shards, other)
        frames = min(len(codes), max(1, round(seconds * self.code["code_rate"])))
        start = int(torch.randint(len(codes) - frames + 1, (), generator=rng))
        return codes[start : start + frames]

    def collate(self, items: Sequence[tuple[TokenSequence, float]]) -> Tokens:
        """A batch of sequences, padded at their ends."""
        # Lengths are rounded up so that there are few shapes: each shape costs memory on a CPU and time in a compiler.
        packed = [self.vocabulary.pack(sequence.ids) for sequence, _ in items]
        ids, _ = pad_stack(packed, LENGTH_MULTIPLE)
        weights, _ = pad_stack(
            [place_weights(steps, sequence.weights) for steps, (sequence, _) in zip(packed, items, strict=True)],
            LENGTH_MULTIPLE,
        )
        # Attention is guided in plain speech alone, because text in its place leaves nothing to find.
        spans = torch.tensor([_spans(steps, {SPEECH}) for steps in packed])
        seconds = torch.tensor([seconds for _, seconds in items])
        longest = self.settings.model.max_tokens  # Everything beyond this length is padding.
        return Tokens(ids[:, :longest], weights[:, :longest], spans, seconds)

    def weight(self, batch: Tokens) -> float:
        """The sum of the weights of all targets."""
        return float(batch.weights[:, 1:].sum())

    def seconds(self, batch: Tokens) -> float:
        """The seconds of speech in the batch."""
        return float(batch.speech_s.sum())

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device, samples: int) -> dict[str, float]:
        """Held-out losses: speech given text and given another sample's text (nats a code), text given speech."""
        assert isinstance(network, GPT)
        own = speech_losses(self, network, samples)
        shuffled = speech_losses(self, network, samples, shuffle=True)
        listening = self._nats(network, samples, "listen", lambda v: v >= 1.0)
        rate = self.code["code_rate"] * self.code["groups"]
        speech = mean(sum(total for total, _ in own), sum(count for _, count in own))
        wrong = mean(sum(total for total, _ in shuffled), sum(count for _, count in shuffled))
        return {
            "speech_loss": speech,
            "shuffled_text_loss": wrong,
            "text_loss": listening,
            "bits_per_second": speech / math.log(2) * rate,
            **self._outliers(network, device),
        }

    def _outliers(self, network: GPT, device: torch.device) -> dict[str, float]:
        """How far single activations stand out: large ones cost accuracy when weights and activations are quantised.

        Kurtosis (3 for a normal distribution) of the layers' outputs, the mean over layers; and their largest value.
        """
        if not len(self.heldout):
            return {}
        sequence = self.sequence(self.heldout, 0, "speak", torch.Generator().manual_seed(0))
        outputs: list[torch.Tensor] = []
        hooks = [
            layer.register_forward_hook(lambda _layer, _inputs, output: outputs.append(output.float()))
            for layer in network.model.layers
        ]
        try:
            network.hidden(self.vocabulary.pack(sequence.ids).to(device)[None])
        finally:
            for hook in hooks:
                hook.remove()
        kurtosis = sum(float(x.sub(x.mean()).pow(4).mean() / x.var().square()) for x in outputs) / len(outputs)
        return {"activation_kurtosis": kurtosis, "activation_max": max(float(x.abs().max()) for x in outputs)}

    @torch.no_grad()
    def preview(self, network: nn.Module, device: torch.device, index: int) -> Preview:
        """Attention from the speech of a held-out sample to its text; a network that reads draws a diagonal."""
        assert isinstance(network, GPT)
        sequence = self.speak(self.heldout, index, torch.Generator().manual_seed(index), plain_share=0.0)
        steps = self.vocabulary.pack(sequence.ids)
        layers = self.settings.data.guide_layers or (network.config.layers // 2,)
        probe = dict.fromkeys(layers, torch.empty(0))
        network.hidden(steps.to(device)[None], probe=probe)
        text, text_end, speech, speech_end = _spans(steps, {SPEECH, self.vocabulary.read})
        return Preview(
            self.heldout.keys[index],
            {
                f"layer {layer}: attention of speech (across) to text (up)": scores[0, speech:speech_end, text:text_end]
                .float()
                .softmax(-1)
                for layer, scores in probe.items()
            },
        )

    def _nats(self, network: GPT, samples: int, kind: str, counted: Any) -> float:
        total, count = 0.0, 0
        for index in range(min(samples, len(self.heldout))):
            sequence = self.sequence(self.heldout, index, kind, torch.Generator().manual_seed(index))
            nats = token_nats(network, sequence)
            mask = counted(torch.tensor(sequence.weights[1:]))
            total, count = total + float(nats[mask].sum()), count + int(mask.sum())
        return mean(total, count)

    def config(self) -> dict[str, Any]:
        """The content of a checkpoint's config.json: Hugging Face's keys and ours."""
        return {
            "stage": NAME,
            **self.settings.model.huggingface(self.vocabulary.size),
            "model": self.settings.model.model_dump(mode="json"),
            "vocabulary": self.vocabulary.config.model_dump(mode="json"),
            "voice_seconds": list(self.settings.data.voice_seconds),
            "characters_per_second": self.characters_per_second,
            "speaking": self.speaking.model_dump(mode="json"),
        }

    def _limits(self) -> SpeakingLimits:
        """The limits of speaking: what the training data says, and guidance if the network learns what that needs."""
        data = self.settings.data
        if not data.reads:
            return SpeakingLimits()
        knows_speech = data.mixture[2] > 0 or (data.mixture[1] > 0 and data.speech_weight > 0)
        return SpeakingLimits(least_seconds=self._least_seconds(), guidance=GUIDANCE if knows_speech else 1.0)

    def _least_seconds(self) -> dict[str, float]:
        """The least seconds of each symbol in the aligned training data; they hold back a reader who hurries."""
        step = max(1, len(self.train) // MEASURED)
        chosen = (read_text(self.train, index) for index in range(0, len(self.train), step))
        return least_seconds(
            (self.tokenizer.spell(text.normalized), text.alignment) for text in chosen if text.alignment is not None
        )

    @property
    def characters_per_second(self) -> float:
        """The mean speaking rate of the training data, from which durations are predicted."""
        if not hasattr(self, "_rate"):
            chosen = range(0, len(self.train), max(1, len(self.train) // 500))
            characters = sum(len(read_text(self.train, i).normalized) for i in chosen)
            self._rate = round(characters / sum(self.durations_s[i] for i in chosen), 3)
        return self._rate

    def lineage(self) -> dict[str, Any]:
        """What this network was trained with."""
        return {"data": self.train.fingerprint, "dvae": self.code["dvae"], "tokenizer": self.tokenizer.fingerprint}


def _spans(steps: torch.Tensor, marks: set[int]) -> tuple[int, int, int, int]:
    """The text and speech spans of a spoken sequence whose speech one of ``marks`` opens; zeros for another kind."""
    ids = steps[:, 0].tolist()
    opening = next((i for i, token in enumerate(ids) if token in marks), 0)
    if ids[0] != VOICE or not opening:
        return 0, 0, 0, 0
    return ids.index(TEXT) + 1, opening, opening + 1, len(ids) - 1


def token_nats(network: GPT, sequence: TokenSequence) -> torch.Tensor:
    """-log P of each token after the first that fits into the network, [at most tokens - 1], nats."""
    steps = network.pack(sequence.ids)[: network.config.max_tokens]
    (fitting,) = log_probabilities(network, [steps[steps != PAD].tolist()])
    return -fitting


@torch.no_grad()
def speech_losses(task: GPTTask, network: GPT, samples: int, shuffle: bool = False) -> list[tuple[float, int]]:
    """Per held-out utterance: sum of -log P of its codes and end given text (nats), and their number.

    Text in place is context here, not counted. With ``shuffle`` each gets the text of the next one in the list: a network that reads finds its own likelier.
    """
    results = []
    limit = min(samples, len(task.heldout))
    for index in range(limit):
        text = read_text(task.heldout, (index + 1) % limit).normalized if shuffle else None
        rng = torch.Generator().manual_seed(index)
        sequence = task.speak(task.heldout, index, rng, 0.0, text)
        ids = torch.tensor(sequence.ids[1:])
        mask = (torch.tensor(sequence.weights[1:]) >= 1.0) & ((ids >= task.vocabulary.code_offset) | (ids == END))
        nats = token_nats(network, sequence)
        mask = mask[: len(nats)]  # the text of another sample may be longer than there is room for
        results.append((float(nats[mask].sum()), int(mask.sum())))
    return results


def build(settings: GPTSettings, data: Sequence[Path]) -> GPTTask:
    """The task on the coded shards in ``data``.

    Raises:
        CheckpointError: two folders were coded by different DVAEs.
        ConfigError: the longest speech of the data would not fit into the model, or no sequence would, or speech shall
            be read that is not aligned.
        ShardError: a sample's text or the index of a folder is damaged.
    """
    chosen, heldout = settings.data.open(data, "codes")
    code = code_details(chosen)
    longest = max(chosen.durations_s, default=0.0) + settings.data.voice_seconds[1]
    rate = code["code_rate"] * frame_steps(settings, code)
    if longest * rate > settings.model.max_tokens:
        raise ConfigError(
            f"model.max_tokens ({settings.model.max_tokens}) cannot hold {longest:.1f} s of speech and voice "
            f"({rate:.1f} steps a second); lower data.max_seconds or raise it"
        )
    if settings.data.reads and not any(read_text(chosen, i).alignment is not None for i in range(len(chosen))):
        raise ConfigError(
            "data.reads: no sample of the data has an alignment; build the shards with --align, or set data.reads=false"
        )
    tokenizer = TextTokenizer()
    training = fitting("training", chosen, settings, code, tokenizer)
    return GPTTask(settings, training, fitting("held-out", heldout, settings, code, tokenizer), code)
