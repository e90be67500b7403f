"""Stage 3 as a source and filters: it hears the melody in a DVAE decode, and shapes pulses and noise into the voice.

The other targets predict a spectrum, whose fine lines a small network blurs: it cannot know where each partial lies. Here a
small network first says the fundamental frequency of each frame, as the likeliest place on a scale. The partials then
lie where the pulses put them, and only smooth things are left to predict: the filters of pulses and of noise
(``audio/source.py``). Nothing is drawn but the noise itself, so one prediction is all that there is.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import nn

from triforce_tts.audio.fundamental import CLASSES, class_hertz
from triforce_tts.audio.mel import AudioConfig, log_mel_nats, mel_filters, smooth_bands, stft
from triforce_tts.audio.source import Grid, filtered, held, pulses, turns_of
from triforce_tts.errors import ConfigError
from triforce_tts.models.diffusion import Block, ReferenceEncoder
from triforce_tts.models.layers import Network, frame_mask, run_block
from triforce_tts.models.targets import DiffusionConfig

# Each mel frame has so many frames of pitch and of filters: 4 ms where a mel frame has 16 (docs/diffusion.md#measured).
SPLIT = 4
_PEAK = 4  # The pitch is the mean over so many classes on either side of the likeliest one.
_QUIETEST, _LOUDEST = -14.0, 6.0  # limits of a filter's log-magnitude, nats
_RANGE = 4.0  # The network's answers are multiples of so many nats.
_NOISE_BELOW = 1.5  # At the start of training the noise is so many nats below the pulses.
_USUAL_HZ = 180.0  # about the middle of speaking voices
_BLOCK = 512  # So many frames are filtered at once, 2 s. Longer blocks are no faster, and take more memory.
_SMOOTH = 6.0  # Peaks and valleys of a filter stand against its Gaussian mean with this deviation, in mel bands.


def source_grid(audio: AudioConfig) -> Grid:
    """The frames of pitch and filters for an audio configuration."""
    return Grid(audio.sample_rate, audio.hop_length // SPLIT)


@dataclass(frozen=True)
class Source:
    """What a sound is made of. F is the number of frames of pitch and filters, ``SPLIT`` times that of mel frames."""

    turns: torch.Tensor  # the phase of the pulses at each frame, [batch, F], 0 to 1
    hertz: torch.Tensor  # [batch, F]
    voiced: torch.Tensor  # 1 or 0, [batch, F]
    pulse_bands: torch.Tensor  # log-magnitudes in nats at the middle of each mel band, [batch, F, n_mels]
    noise_bands: torch.Tensor  # the same for the noise
    white: torch.Tensor  # standard normal, [batch, mel frames, hop_length]

    def state(self) -> torch.Tensor:
        """Everything in one row for each mel frame: [batch, mel frames, numbers]."""
        batch, frames, _ = self.white.shape
        parts = (self.turns, self.hertz, self.voiced, self.pulse_bands, self.noise_bands)
        return torch.cat((*(part.reshape(batch, frames, -1) for part in parts), self.white), dim=2)

    @classmethod
    def of_state(cls, state: torch.Tensor, audio: AudioConfig) -> "Source":
        """The source whose ``state`` is given."""
        batch, frames, _ = state.shape
        bands = SPLIT * audio.n_mels
        sizes = (SPLIT, SPLIT, SPLIT, bands, bands, audio.hop_length)
        turns, hertz, voiced, pulse_bands, noise_bands, white = torch.split(state, list(sizes), dim=2)
        shape = (batch, SPLIT * frames, audio.n_mels)
        return cls(
            turns.flatten(1),
            hertz.flatten(1),
            voiced.flatten(1),
            pulse_bands.reshape(shape),
            noise_bands.reshape(shape),
            white,
        )

    def samples(self, audio: AudioConfig) -> torch.Tensor:
        """The sound, [batch, mel frames * hop_length]."""
        grid = source_grid(audio)
        knots = _knots(audio.sample_rate, grid.n_fft, audio.n_mels).to(self.white.device)
        train, noise = pulses(self.hertz, self.voiced, self.turns, grid), self.white.flatten(1)
        frames = self.hertz.shape[1]
        size = frames if torch.is_grad_enabled() else _BLOCK
        sounds = []
        for first in range(0, frames, size):
            end = min(frames, first + size)
            before, after = max(0, first - grid.reach), min(frames, end + grid.reach)
            own = slice(before * grid.hop, after * grid.hop)
            voice, breath = (
                (bands[:, before:after] @ knots).clamp(_QUIETEST, _LOUDEST)
                for bands in (self.pulse_bands, self.noise_bands)
            )
            sound = filtered(train[:, own], noise[:, own], voice, breath, grid)
            sounds.append(sound[:, (first - before) * grid.hop : (end - before) * grid.hop])
        return torch.cat(sounds, 1)


@lru_cache(maxsize=8)
@torch.inference_mode(False)  # A tensor of inference mode cannot be trained with later.
def _knots(sample_rate: int, n_fft: int, n_mels: int) -> torch.Tensor:
    """Straight lines between the middles of the mel bands: weights [n_mels, n_fft // 2 + 1] of each band in each bin."""
    fine = 8 * n_fft  # The lowest bands are narrower than a bin.
    bands = mel_filters(sample_rate, fine, n_mels)
    middles = (bands * torch.linspace(0, sample_rate / 2, fine // 2 + 1)).sum(1) / bands.sum(1)
    bins = torch.linspace(0, sample_rate / 2, n_fft // 2 + 1)
    upper = torch.searchsorted(middles, bins).clamp(1, n_mels - 1)
    share = ((bins - middles[upper - 1]) / (middles[upper] - middles[upper - 1])).clamp(0, 1)
    weights, every = torch.zeros(n_mels, len(bins)), torch.arange(len(bins))
    weights[upper, every] = share
    weights[upper - 1, every] = 1 - share
    return weights


def _white_level(audio: AudioConfig) -> float:
    """The log-mel magnitude of white noise of variance 1, in nats: the mean of a Rayleigh distribution."""
    energy = 3 / 8 * audio.n_fft  # the sum of the squares of a Hann window
    return math.log(math.sqrt(math.pi / 4 * energy) * audio.n_fft / audio.sample_rate)


def sharpened(bands: torch.Tensor, share: float, audio: AudioConfig) -> torch.Tensor:
    """``bands`` [..., n_mels] in nats, with peaks and valleys deepened by ``share``; the power of each frame stays.

    A regression flattens the peaks of the spectrum. To deepen them again is the usual remedy in statistical synthesis
    (Yoshimura et al., "Incorporating a mixed excitation model and postfilter into HMM-based text-to-speech", 2005).
    """
    if share == 0:
        return bands
    deepened = bands + share * (bands - smooth_bands(bands, _SMOOTH))
    return deepened + (_level(bands, audio) - _level(deepened, audio))


def _level(bands: torch.Tensor, audio: AudioConfig) -> torch.Tensor:
    """Half the logarithm of the power of filters whose ``bands`` [..., n_mels] are given: [..., 1] nats."""
    bins = _knots(audio.sample_rate, source_grid(audio).n_fft, audio.n_mels).sum(1).to(bands.device)
    return 0.5 * torch.logsumexp(2 * bands + bins.log(), -1, keepdim=True)


class SourceTarget:
    """The state is a ``Source``; its noise is the only thing that is drawn."""

    def __init__(self, audio: AudioConfig) -> None:
        self.audio, self.width, self.reach = audio, audio.hop_length, 0

    def noise(self, white: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """``white`` [batch, frames, hop_length] itself; it is 0 past the ends."""
        return white * frame_mask(lengths, white.shape[1])

    def magnitude(self, state: torch.Tensor, decode: torch.Tensor) -> torch.Tensor:
        """The magnitudes of the sound's spectrum, [batch, frames, n_bins]."""
        return stft(self.samples(state, decode, 0), self.audio).abs()

    def samples(self, state: torch.Tensor, decode: torch.Tensor, phase_iterations: int) -> torch.Tensor:
        """The sound, [batch, frames * hop_length]; its phase needs no iterations."""
        with torch.autocast(state.device.type, enabled=False):
            return Source.of_state(state.float(), self.audio).samples(self.audio)

    def phase_reach(self, phase_iterations: int) -> int:
        """The reach of the filters, and one frame because pitch and loudness go on straight lines to the next frame."""
        return -(-(source_grid(self.audio).reach + 1) // SPLIT)

    def turned(self, state: torch.Tensor, frame: int, turns: float) -> torch.Tensor:
        """``state`` with the pulses moved so that their phase at mel frame ``frame`` is ``turns``."""
        own = state[:, :, :SPLIT]
        moved = (own - own[:, frame : frame + 1, :1] + turns).remainder(1.0)
        return torch.cat((moved, state[:, :, SPLIT:]), dim=2)

    def turns(self, state: torch.Tensor) -> torch.Tensor:
        """The phase of the pulses at each mel frame of ``state``, and after the last one: [batch, frames + 1]."""
        grid = source_grid(self.audio)
        source = Source.of_state(state, self.audio)
        after = source.turns[:, -1:] + source.hertz[:, -1:] * (grid.hop / grid.sample_rate)
        return torch.cat((source.turns[:, ::SPLIT], after.remainder(1.0)), 1)


class Melody(nn.Module):
    """Hears in a decode, for each frame of pitch, which class of the scale it has and whether it is voiced."""

    def __init__(self, config: DiffusionConfig, n_mels: int) -> None:
        super().__init__()
        width = config.pitch_channels
        self.project_in = nn.Linear(n_mels, width)
        self.condition = nn.Linear(config.reference_channels, 3 * width)
        self.blocks = nn.ModuleList(Block(width, 3 * width, config.kernel_size) for _ in range(config.pitch_blocks))
        self.norm_out = nn.LayerNorm(width)
        self.project_out = nn.Linear(width, SPLIT * (CLASSES + 1))

    def forward(self, decode: torch.Tensor, speaker: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Logits [batch, F, CLASSES + 1] float32 of each class, and last whether the frame is voiced."""
        x = self.project_in(decode)
        modulation = self.condition(speaker).unflatten(-1, (3, -1))
        for block in self.blocks:
            x = block(x, modulation, mask)
        out: torch.Tensor = self.project_out(self.norm_out(x)).float()
        return out.reshape(len(out), -1, CLASSES + 1)


def decided(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The pitch in Hz and whether it is voiced (1 or 0), each [batch, F], of the logits of ``Melody``."""
    classes, voiced = logits[..., :-1], (logits[..., -1] > 0).float()
    near = classes.argmax(-1, keepdim=True) + torch.arange(-_PEAK, _PEAK + 1, device=logits.device)
    on_scale = (near >= 0) & (near < CLASSES)
    heights = torch.where(on_scale, classes.gather(-1, near.clamp(0, CLASSES - 1)), -torch.inf)
    return class_hertz((near * heights.softmax(-1)).sum(-1)), voiced


class SourceFilter(Network):
    """Predicts the source and the filters of speech from the DVAE's decode and a reference clip."""

    def __init__(self, config: DiffusionConfig, audio: AudioConfig) -> None:
        super().__init__()
        if audio.hop_length % SPLIT:
            raise ConfigError(f"audio.hop_length is {audio.hop_length}: target 'source' needs a multiple of {SPLIT}")
        self.config, self.audio, self.target = config, audio, SourceTarget(audio)
        width = config.channels
        self.reference = ReferenceEncoder(audio.n_mels, config.reference_channels)
        self.melody = Melody(config, audio.n_mels)
        self.project_in = nn.Linear(audio.n_mels + 2 * SPLIT, width)
        self.condition = nn.Sequential(
            nn.Linear(config.reference_channels, width), nn.SiLU(), nn.Linear(width, 3 * width)
        )
        self.blocks = nn.ModuleList(Block(width, config.hidden, config.kernel_size) for _ in range(config.blocks))
        self.norm_out = nn.LayerNorm(width)
        self.project_out = nn.Linear(width, 2 * SPLIT * audio.n_mels)
        # At the start the filters are nearly the decode itself. Training adds the rest.
        nn.init.normal_(self.project_out.weight, std=0.01)
        nn.init.zeros_(self.project_out.bias)

    @property
    def recomputed_blocks(self) -> list[nn.Module]:
        """The blocks of ConvNeXt that shape the filters."""
        return list(self.blocks)

    @property
    def reach(self) -> int:
        """The frames on either side of a frame that can change its prediction: both networks, one after the other.

        One more frame: pitch beside voiced frames is theirs.
        """
        return (self.config.blocks + self.config.pitch_blocks) * (self.config.kernel_size // 2) + 1

    def forward(
        self,
        noise: torch.Tensor,
        t: torch.Tensor,
        decode: torch.Tensor,
        speaker: torch.Tensor,
        lengths: torch.Tensor,
        drop: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The state of the sound, [batch, frames, numbers] float32, of which ``self.target`` makes samples.

        Args:
            noise: standard normal, [batch, frames, hop_length], 0 past the ends.
            t: not used; there is one prediction.
            decode: standardised mel that the DVAE decoded, [batch, frames, n_mels].
            speaker: ``reference(...)`` of a clip by the same voice, [batch, reference_channels].
            lengths: mel frames of each utterance, [batch].
            drop: not used; this network has no guidance.
        """
        hertz, voiced = decided(self.melody(decode, speaker, frame_mask(lengths, decode.shape[1])))
        voiced = voiced * frame_mask(lengths * SPLIT, voiced.shape[1]).squeeze(2)
        source = self.source(noise, decode, hertz, voiced, speaker, lengths)
        share = self.config.sharpness
        pulse_bands, noise_bands = (
            sharpened(bands, share, self.audio) for bands in (source.pulse_bands, source.noise_bands)
        )
        return replace(source, pulse_bands=pulse_bands, noise_bands=noise_bands).state()

    def source(
        self,
        noise: torch.Tensor,
        decode: torch.Tensor,
        hertz: torch.Tensor,
        voiced: torch.Tensor,
        speaker: torch.Tensor,
        lengths: torch.Tensor,
    ) -> Source:
        """The source and its filters for a melody: ``hertz`` where ``voiced`` (1 or 0), [batch, F]."""
        mask = frame_mask(lengths, decode.shape[1])
        with torch.autocast(decode.device.type, enabled=False):
            hertz = held(hertz, voiced)
            turns = turns_of(hertz, source_grid(self.audio))
            height = 2.0 * (hertz / _USUAL_HZ).log() * voiced
            seen = torch.stack((height, voiced), -1).reshape(*decode.shape[:2], 2 * SPLIT)
            usual = log_mel_nats(decode.float(), self.audio) - _white_level(self.audio)
        x = self.project_in(torch.cat((decode, seen), dim=-1))
        modulation = self.condition(speaker).unflatten(-1, (3, -1))
        for block in self.blocks:
            x = run_block(block, self.recompute, x, modulation, mask)
        out = self.project_out(self.norm_out(x)).float().unflatten(-1, (SPLIT, 2, -1))
        bands = usual[:, :, None, None] + _RANGE * out
        pulse_bands, noise_bands = bands.flatten(1, 2).unbind(2)
        return Source(turns, hertz, voiced, pulse_bands, noise_bands - _NOISE_BELOW, noise)
