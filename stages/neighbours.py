"""Whether the nearest frames of code embeddings share a label: the soft nearest-neighbour loss of Frosst et al. (2019).

For every frame a neighbour is drawn, the nearer the likelier; the loss is the mean of -log P(the neighbour has the same
label), nats. With phones as labels a low loss is good: the codes cluster by what is said. With speakers as labels it
shows how much of the voice the codes hold, which the GPT then has to predict. A loss means little alone, because it
depends on how many labels there are, so it stands beside that of the same labels in a random order.

Frosst, Papernot, Hinton: "Analyzing and Improving Representations with the Soft Nearest Neighbor Loss", ICML 2019.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from triforce_tts.audio.io import decode_audio
from triforce_tts.audio.mel import AudioConfig, mel_spectrogram
from triforce_tts.models.dvae import DVAE
from triforce_tts.shards import ShardSet
from triforce_tts.text import alignment
from triforce_tts.text.normalize import normalize
from triforce_tts.text.tokenizer import Piece, TextTokenizer

# The paper takes the temperature at which the loss is lowest. These are tried, as shares of the mean squared distance.
TEMPERATURES = tuple(2.0**-power for power in range(9))
# So many frames at once are compared with all others, so that memory grows with the number of frames, not with its
# square.
_ROWS = 1024
NO_LABEL = -1


@dataclass(frozen=True)
class Frames:
    """Code frames of several clips, and their labels."""

    vectors: torch.Tensor  # [frames, channels]
    speakers: torch.Tensor  # [frames] int64
    # [frames] int64; NO_LABEL if no symbol is spoken in the frame, or if the times are not known
    phones: torch.Tensor
    clips: torch.Tensor  # [frames] int64

    def select(self, chosen: torch.Tensor) -> "Frames":
        """The frames with these numbers, or those for which this mask is true."""
        return Frames(self.vectors[chosen], self.speakers[chosen], self.phones[chosen], self.clips[chosen])


def soft_nearest_neighbour(
    vectors: torch.Tensor, labels: torch.Tensor, clips: torch.Tensor, temperatures: Sequence[float]
) -> torch.Tensor:
    """The loss at each temperature, nats [temperatures]; NaN where no two clips share a label.

    Frames of one clip are not compared, because the frames beside a frame hear the same sound. A frame whose label no
    other clip has is left out.

    Args:
        vectors: [frames, channels].
        labels: [frames] int64.
        clips: which clip each frame is from, [frames] int64.
        temperatures: of the squared distances, as shares of the mean squared distance between two frames.
    """
    vectors = vectors.double() - vectors.double().mean(0)
    scale = 2.0 * vectors.square().sum(1).mean().clamp_min(1e-12)  # the mean squared distance
    losses = vectors.new_zeros(len(temperatures))
    counted = 0
    for rows in (slice(start, start + _ROWS) for start in range(0, len(vectors), _ROWS)):
        distances = torch.cdist(vectors[rows], vectors).square() / scale
        same = labels[rows, None] == labels
        apart = clips[rows, None] != clips
        usable = (same & apart).any(1)
        counted += int(usable.sum())
        for number, temperature in enumerate(temperatures):
            nearness = (-distances[usable] / temperature).masked_fill(~apart[usable], -torch.inf)
            shared = nearness.masked_fill(~same[usable], -torch.inf)
            losses[number] += (nearness.logsumexp(1) - shared.logsumexp(1)).sum()
    return losses / counted if counted else losses * torch.nan


def neighbour_figures(frames: Frames, most: int) -> dict[str, float]:
    """The loss by speaker and by phone over at most ``most`` frames, each beside the loss of labels in a random order."""
    rng = torch.Generator().manual_seed(0)
    figures = {}
    for name in ("speaker", "phone"):
        chosen = frames.select(getattr(frames, f"{name}s") != NO_LABEL)
        chosen = chosen.select(torch.randperm(len(chosen.clips), generator=rng)[:most])
        labels = getattr(chosen, f"{name}s")
        shuffled = labels[torch.randperm(len(labels), generator=rng)]
        for title, frame_labels in ((name, labels), (f"{name}_chance", shuffled)):
            losses = soft_nearest_neighbour(chosen.vectors, frame_labels, chosen.clips, TEMPERATURES)
            figures[f"neighbour_{title}"] = float(losses.min())
    return figures


def symbols_at(times_s: Sequence[float], pieces: Sequence[Piece], words: Sequence[alignment.Word]) -> list[str]:
    """The symbol that is spoken at each of ``times_s``; empty if none is.

    A word that is spelled by another number of symbols than it was aligned with has none.
    """
    spoken: list[tuple[float, float, str]] = []
    for piece, word in alignment.words_of(pieces, words):
        if len(word) == len(piece.symbols) + 1:
            spoken += zip(word[:-1], word[1:], piece.symbols, strict=True)
    return [next((symbol for start, end, symbol in spoken if start <= time < end), "") for time in times_s]


@torch.no_grad()
def embed_frames(
    network: DVAE, audio: AudioConfig, shards: ShardSet, device: torch.device, samples: int
) -> tuple[Frames, list[str]]:
    """The code embeddings of the first ``samples`` clips of ``shards``, and the names of the phones by number."""
    tokenizer = TextTokenizer()
    speakers: dict[str, int] = {}
    phones: dict[str, int] = {}
    parts = []
    for index in range(min(samples, len(shards))):
        sound = decode_audio(shards.payload(index), shards.keys[index], audio.sample_rate).samples.to(device)
        codes = network.encode(mel_spectrogram(sound[None], audio))
        vectors = network.quantizer.embed(codes)[0].float().cpu()
        meta = shards.meta(index)
        labels = torch.full((len(vectors),), NO_LABEL)
        if meta.get(alignment.KEY):
            text = meta.get("normalized") or normalize(meta["text"])
            rate = audio.frame_rate / network.config.downsampling
            middles = [(frame + 0.5) / rate for frame in range(len(vectors))]
            symbols = symbols_at(middles, tokenizer.spell(text), meta[alignment.KEY])
            plain = [symbol.rstrip("012") for symbol in symbols]  # The stress of vowels is removed.
            numbers = [phones.setdefault(phone, len(phones)) if phone else NO_LABEL for phone in plain]
            labels = torch.tensor(numbers, dtype=torch.int64)
        speaker = speakers.setdefault(shards.speakers[index], len(speakers))
        parts.append(Frames(vectors, torch.full_like(labels, speaker), labels, torch.full_like(labels, index)))
    stacked = (
        torch.cat([getattr(part, name) for part in parts]) for name in ("vectors", "speakers", "phones", "clips")
    )
    return Frames(*stacked), list(phones)
