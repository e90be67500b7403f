"""Stage 2: train the GPT on coded shards, in four kinds of sequence. The loss is cross-entropy, nats a token."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field, model_validator
from torch import nn
from torch.nn import functional as F

from triforce_tts.batches import Batch, pad_stack
from triforce_tts.errors import CheckpointError, ConfigError, ShardError
from triforce_tts.models.gpt import GPT, GPTConfig
from triforce_tts.sampling.score import log_probabilities
from triforce_tts.schema import Config
from triforce_tts.sequences import END, PAD, SPEECH, TEXT, VOICE, TokenSequence, Vocabulary, VocabularyConfig
from triforce_tts.shards import ShardSet
from triforce_tts.synthesis.script import SpeakingLimits
from triforce_tts.text import alignment
from triforce_tts.text.pace import least_seconds
from triforce_tts.text.tokenizer import TextTokenizer

from .codes import read_codes, read_details, read_text
from .preview import Preview
from .settings import Count, DataSettings, RunSettings, Share, Weight
from .task import Losses, mean

NAME = "gpt"
LENGTH_MULTIPLE = 32  # of a batch's padded sequences, tokens
MEASURED = 2000  # samples, evenly from the data, whose alignments give the least seconds of symbols: some three hours
KINDS = ("speak", "listen", "speech", "text")

_MARKS = 4  # tokens of a spoken sequence that open its parts and end it
_MOST_MORE = 14  # symbols of a word beyond its letters: of 'fyi' in the dictionary 12, and 2 of an ending

VoiceSeconds = Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)]


class SequenceSettings(DataSettings):
    """How samples become sequences."""

    mixture: tuple[Share, Share, Share, Share] = (0.8, 0.15, 0.0, 0.05)  # of speak, listen, speech, text
    voice_seconds: tuple[VoiceSeconds, VoiceSeconds]  # shortest and longest voice prompt
    letters_share: Share = 0.1  # of words that are spelled although the lexicon knows them
    text_weight: Weight = 0.01  # of text tokens in 'speak' (Betker's value; text is easier than speech)
    reads: bool = False  # speech whose alignment is known carries its text in place; needs shards built with --align
    plain_share: Share = 0.1  # of aligned samples that are spoken without, for the score of speech given text
    speech_weight: Weight = 0.2  # of speech tokens in 'listen'
    guide_weight: Weight = 0.0  # of the guided-attention loss beside a speech token's; 0: none
    guide_layers: tuple[Count, ...] = ()  # whose first head is guided along the text
    # How far from the diagonal a guided head may look free of charge, share of the text.
    guide_width: Annotated[float, Field(ge=1e-3, le=10, allow_inf_nan=False)] = 0.15

    @model_validator(mode="after")
    def _check(self) -> "SequenceSettings":
        if not math.isclose(sum(self.mixture), 1.0, abs_tol=1e-6):
            raise ValueError(f"mixture must be four shares that sum to 1, found {list(self.mixture)}")
        if self.voice_seconds[0] > self.voice_seconds[1]:
            raise ValueError(f"voice_seconds must be two rising lengths, found {list(self.voice_seconds)}")
        return self


class GPTSettings(Config):
    """The whole of ``configs/gpt/*.yaml``."""

    model: GPTConfig
    data: SequenceSettings
    run: RunSettings


@dataclass
class Tokens(Batch):
    """Right-padded sequences."""

    ids: torch.Tensor  # [batch, tokens]
    weights: torch.Tensor  # [batch, tokens]: of each id as a target
    spans: torch.Tensor  # [batch, 4]: start and end of the text, then of the speech, of 'speak'; else zeros
    speech_s: torch.Tensor  # [batch]: seconds of speech

    def padded_share(self) -> float:
        """Which part of the tokens is padding, 0 to 1."""
        return float((self.ids == PAD).float().mean())


class GPTLosses(Losses):
    """The GPT with weighted next-token cross-entropy, and guided attention where it is asked for."""

    network: GPT

    def __init__(self, network: GPT, data: SequenceSettings) -> None:
        super().__init__()
        self.network, self.data = network, data

    def forward(self, batch: Tokens) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Weighted sum of -log P over targets, nats."""
        weights = batch.weights[:, 1:]
        chosen = weights > 0
        chosen = F.pad(chosen, (0, 1))  # the last position predicts nothing
        probe = dict.fromkeys(self.data.guide_layers, batch.weights) if self.data.guide_weight else None
        logits = self.network(batch.ids, chosen, probe).float()
        losses = F.cross_entropy(logits, batch.ids[:, 1:][chosen[:, :-1]], reduction="none")
        nats = (losses * weights[chosen[:, :-1]]).sum()
        if not probe:
            return nats, {"nats": nats.detach()}
        off = [guided_attention(scores, batch.spans, self.data.guide_width) for scores in probe.values()]
        guide = torch.stack(off).mean()
        return nats + self.data.guide_weight * guide, {"nats": nats.detach(), "guide": guide.detach()}


def guided_attention(scores: torch.Tensor, spans: torch.Tensor, width: float) -> torch.Tensor:
    """How far attention from speech to text strays from the diagonal, summed over speech tokens.

    Speech runs through its text from left to right at a nearly even pace, so a head that is to read is told where
    to look: attention among text tokens is charged 1 - exp(-d^2 / 2 width^2), d the distance of the two relative
    places (Tachibana et al., "Efficiently trainable text-to-speech ... with guided attention", 2018). Finding the
    alignment is what costs small models most of their training.

    Args:
        scores: of one head, before softmax, [batch, tokens, tokens].
        spans: start and end of the text and of the speech, [batch, 4].
        width: of the free diagonal, share of the length.
    """
    place = torch.arange(scores.shape[1], device=scores.device)[None]
    text_start, text_end, speech_start, speech_end = (spans[:, i : i + 1] for i in range(4))
    is_text = (place >= text_start) & (place < text_end)
    is_speech = (place >= speech_start) & (place < speech_end)
    along_text = (place - text_start) / (text_end - text_start).clamp_min(1)
    along_speech = (place - speech_start) / (speech_end - speech_start).clamp_min(1)
    distance = along_speech[:, :, None] - along_text[:, None, :]
    charge = 1.0 - torch.exp(-distance.square() / (2.0 * width**2))
    attention = scores.masked_fill(~is_text[:, None, :], -1e9).softmax(dim=-1)
    return ((attention * charge).sum(-1) * is_speech).sum()


class GPTTask:
    """Stage 2 for the loop."""

    name = NAME
    parts: ClassVar[dict[str, type[Config]]] = {"model": GPTConfig, "vocabulary": VocabularyConfig}
    criterion = "nats"

    def __init__(
        self,
        settings: GPTSettings,
        train: ShardSet,
        heldout: ShardSet,
        code: dict[str, Any],
        notes: tuple[str, ...] = (),
    ) -> None:
        self.notes = notes
        self.settings, self.train, self.heldout, self.code = settings, train, heldout, code
        self.tokenizer = TextTokenizer()
        sizes = VocabularyConfig(
            n_text=self.tokenizer.size, n_codes=code["n_codes"], groups=code["groups"], reads=settings.data.reads
        )
        self.vocabulary = Vocabulary(sizes)
        if settings.data.guide_layers and max(settings.data.guide_layers) >= settings.model.layers:
            raise ConfigError(
                f"data.guide_layers {list(settings.data.guide_layers)}: the model has {settings.model.layers} layers"
            )
        self.module = GPTLosses(GPT(settings.model, self.vocabulary.size), settings.data)
        self.durations_s = tuple(train.durations_s)
        self.keys = train.keys
        self.speaking = SpeakingLimits(least_seconds=self._least_seconds() if settings.data.reads else {})
        self.expected_first_loss = None if settings.run.init_from else math.log(self.vocabulary.size)

    def sample(self, index: int, rng: torch.Generator) -> tuple[TokenSequence, float]:
        """A sequence of a random kind."""
        made = self.sequence(self.train, index, self._kind(rng), rng)
        if len(made.ids) > self.settings.model.max_tokens:
            raise ShardError(
                f"sample '{self.keys[index]}': a sequence of {len(made.ids)} tokens, at most "
                f"{self.settings.model.max_tokens} fit: its codes are longer than its duration_s says; "
                "run 'triforce-tts codes' again"
            )
        return made, self.durations_s[index]

    def length(self, index: int, rng: torch.Generator) -> float:
        """About how many tokens the sequence will have, by the kind and the voice that ``sample`` draws first."""
        kind, seconds = self._kind(rng), self.durations_s[index]
        text, second = self.characters_per_second * seconds, float(self.code["code_rate"] * self.code["groups"])
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
        """Sample ``index`` as speech: read where its alignment is known, but for ``plain_share``; else without."""
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
        else:  # another's text has no place in this speech: it is spread evenly
            frames = [i * len(codes) // len(tokens) for i in range(len(tokens))]
        return self.vocabulary.read_aloud(voice, tokens, frames, codes, data.text_weight)

    def _codes(self, shards: ShardSet, index: int) -> torch.Tensor:
        return read_codes(shards, index, self.code["groups"], self.code["n_codes"])

    def _voice(self, shards: ShardSet, index: int, rng: torch.Generator) -> torch.Tensor:
        """Codes of another clip by the speaker; of this one where there is no other."""
        seconds, other = self._voice_seconds(rng), index
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
        # Rounded up, so that there are few shapes: each costs a CPU memory, and a compiler time.
        ids, _ = pad_stack([torch.tensor(sequence.ids) for sequence, _ in items], LENGTH_MULTIPLE)
        weights, _ = pad_stack([torch.tensor(sequence.weights) for sequence, _ in items], LENGTH_MULTIPLE)
        # Attention is guided in plain speech alone: where the text is in its place, there is nothing to find.
        spans = torch.tensor([_spans(sequence.ids, {SPEECH}) for sequence, _ in items])
        seconds = torch.tensor([seconds for _, seconds in items])
        longest = self.settings.model.max_tokens  # past which there is only padding
        return Tokens(ids[:, :longest], weights[:, :longest], spans, seconds)

    def weight(self, batch: Tokens) -> float:
        """Sum of target weights."""
        return float(batch.weights[:, 1:].sum())

    def seconds(self, batch: Tokens) -> float:
        """Seconds of speech."""
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
        """How far single activations stand out: what costs accuracy when weights and activations are quantised.

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
            network.hidden(torch.tensor(sequence.ids, device=device)[None])
        finally:
            for hook in hooks:
                hook.remove()
        kurtosis = sum(float(x.sub(x.mean()).pow(4).mean() / x.var().square()) for x in outputs) / len(outputs)
        return {"activation_kurtosis": kurtosis, "activation_max": max(float(x.abs().max()) for x in outputs)}

    @torch.no_grad()
    def preview(self, network: nn.Module, device: torch.device, index: int) -> Preview:
        """Where the speech of a held-out sample looks in its text: a network that reads draws a diagonal."""
        assert isinstance(network, GPT)
        sequence = self.speak(self.heldout, index, torch.Generator().manual_seed(index), plain_share=0.0)
        ids = torch.tensor(sequence.ids, device=device)[None]
        layers = self.settings.data.guide_layers or (network.config.layers // 2,)
        probe = dict.fromkeys(layers, torch.empty(0))
        network.hidden(ids, probe=probe)
        text, text_end, speech, speech_end = _spans(sequence.ids, {SPEECH, self.vocabulary.read})
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
            wanted = counted(torch.tensor(sequence.weights[1:]))
            total, count = total + float(nats[wanted].sum()), count + int(wanted.sum())
        return mean(total, count)

    def config(self) -> dict[str, Any]:
        """What a checkpoint's config.json says: Hugging Face's keys and ours."""
        return {
            "stage": NAME,
            **self.settings.model.huggingface(self.vocabulary.size),
            "model": self.settings.model.model_dump(mode="json"),
            "vocabulary": self.vocabulary.config.model_dump(mode="json"),
            "voice_seconds": list(self.settings.data.voice_seconds),
            "characters_per_second": self.characters_per_second,
            "speaking": self.speaking.model_dump(mode="json"),
        }

    def _least_seconds(self) -> dict[str, float]:
        """How fast its aligned training data says each symbol, for text in place: a reader who hurries is held back."""
        step = max(1, len(self.train) // MEASURED)
        chosen = (read_text(self.train, index) for index in range(0, len(self.train), step))
        return least_seconds(
            (self.tokenizer.spell(text.normalized), text.alignment) for text in chosen if text.alignment is not None
        )

    @property
    def characters_per_second(self) -> float:
        """Mean speaking rate of the training data: what a duration is predicted from."""
        if not hasattr(self, "_rate"):
            chosen = range(0, len(self.train), max(1, len(self.train) // 500))
            characters = sum(len(read_text(self.train, i).normalized) for i in chosen)
            self._rate = round(characters / sum(self.durations_s[i] for i in chosen), 3)
        return self._rate

    def lineage(self) -> dict[str, Any]:
        """What this network was trained with."""
        return {"data": self.train.fingerprint, "dvae": self.code["dvae"], "tokenizer": self.tokenizer.fingerprint}


def _spans(ids: list[int], marks: set[int]) -> tuple[int, int, int, int]:
    """Text and speech spans of a spoken sequence whose speech one of ``marks`` opens; zeros for another kind."""
    found = next((i for i, token in enumerate(ids) if token in marks), 0)
    if ids[0] != VOICE or not found:
        return 0, 0, 0, 0
    return ids.index(TEXT) + 1, found, found + 1, len(ids) - 1


def token_nats(network: GPT, sequence: TokenSequence) -> torch.Tensor:
    """-log P of each token after the first, [at most tokens - 1]: of those that fit into the network."""
    (found,) = log_probabilities(network, [sequence.ids[: network.config.max_tokens]])
    return -found


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
        wanted = (torch.tensor(sequence.weights[1:]) >= 1.0) & ((ids >= task.vocabulary.code_offset) | (ids == END))
        nats = token_nats(network, sequence)
        wanted = wanted[: len(nats)]  # another's text may be longer than there is room for
        results.append((float(nats[wanted].sum()), int(wanted.sum())))
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
    code = _code_details(chosen)
    longest = max(chosen.durations_s, default=0.0) + settings.data.voice_seconds[1]
    if longest * code["code_rate"] * code["groups"] > settings.model.max_tokens:
        raise ConfigError(
            f"model.max_tokens ({settings.model.max_tokens}) cannot hold {longest:.1f} s of speech and voice "
            f"({code['code_rate'] * code['groups']:.1f} codes a second); lower data.max_seconds or raise it"
        )
    if settings.data.reads and not any(read_text(chosen, i).alignment is not None for i in range(len(chosen))):
        raise ConfigError(
            "data.reads: no sample of the data has an alignment; build the shards with --align, or set data.reads=false"
        )
    tokenizer, notes = TextTokenizer(), []
    fitting = []
    for what, shards in (("training", chosen), ("held-out", heldout)):
        kept, note = _fitting(what, shards, settings, code, tokenizer)
        fitting.append(kept)
        notes += [note] if note else []
    return GPTTask(settings, fitting[0], fitting[1], code, tuple(notes))


def _fitting(
    what: str, shards: ShardSet, settings: GPTSettings, code: dict[str, Any], tokenizer: TextTokenizer
) -> tuple[ShardSet, str]:
    """The samples whose longest sequence fits into the model, and what to tell the user of the others."""
    limit, texts = settings.model.max_tokens, 1 + settings.data.reads
    voice = max(1, round(settings.data.voice_seconds[1] * code["code_rate"])) * code["groups"] + _MARKS
    left_out: dict[int, int] = {}
    for index, seconds in enumerate(shards.durations_s):
        rest = voice + math.ceil(seconds * code["code_rate"] + 1) * code["groups"]
        text = read_text(shards, index).normalized
        if rest + texts * (len(text) + _MOST_MORE * (text.count(" ") + 1)) > limit:  # else surely short enough
            tokens = rest + texts * most_symbols(tokenizer, text)
            if tokens > limit:
                left_out[index] = tokens
    if not left_out:
        return shards, ""
    first = next(iter(left_out))
    told = (
        f"{len(left_out)} of {len(shards)} {what} samples may make sequences of more than model.max_tokens ({limit}), "
        f"the first is '{shards.keys[first]}' with {left_out[first]}"
    )
    if len(left_out) == len(shards):
        raise ConfigError(f"{told}: no sample is left; raise model.max_tokens or lower data.voice_seconds")
    return shards.select([i for i in range(len(shards)) if i not in left_out]), f"{told}: they are left out"


def most_symbols(tokenizer: TextTokenizer, text: str) -> int:
    """Symbols of ``text`` where each word is written the longer way, in letters or phonemes."""
    spellings = zip(tokenizer.spell(text), tokenizer.spell(text, letters_share=1.0), strict=True)
    return sum(max(len(one.symbols), len(other.symbols)) for one, other in spellings)


def _code_details(shards: ShardSet) -> dict[str, Any]:
    """What the indices of all folders say of their codes.

    Raises:
        CheckpointError: two folders were coded by different DVAEs.
    """
    stamps = [(folder, read_details(folder, details)) for folder, details in shards.details.items()]
    for folder, code in stamps[1:]:
        if code != stamps[0][1]:
            raise CheckpointError(
                f"{stamps[0][0]} was coded by DVAE {stamps[0][1].dvae}, {folder} by {code.dvae}; code both with one"
            )
    return stamps[0][1].model_dump()
