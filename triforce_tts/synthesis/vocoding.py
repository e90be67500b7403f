"""From codes to waves by stages 1 and 3: several lines at once, and each line whole or in chunks.

Nothing in the two networks is global over time, and the noise of a frame belongs to its place in the line. So a chunk
that is made with enough context on either side sounds as it does in the whole line, whatever the chunks are. Pulses alone
(target ``source``) count from the start of the line: each section notes where they stand, and the next one goes on there.
Speaking makes whole lines; to stream one, go through its ``sections`` in order and vocode each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.nn.utils.rnn import pad_sequence

from triforce_tts import bounds
from triforce_tts.audio.io import Audio
from triforce_tts.audio.phase import griffin_lim
from triforce_tts.audio.timbre import add_timbre
from triforce_tts.errors import ConfigError
from triforce_tts.models.layers import frame_mask
from triforce_tts.models.source_filter import SourceTarget
from triforce_tts.models.targets import noise_shape, phase_reach
from triforce_tts.sampling.diffusion import predictions, upsample_from, utterance_noise
from triforce_tts.synthesis.clips import encode_clip
from triforce_tts.synthesis.model import Model
from triforce_tts.synthesis.settings import Settings
from triforce_tts.synthesis.stopwatch import Stopwatch

# The longest recording that goes through stages 1 and 3 at once; the memory grows with its length.
RESYNTHESIZED_S = 600.0


@dataclass(frozen=True, eq=False)
class Utterance:
    """The codes of a line, with the voice and the seed that decide its sound."""

    codes: torch.Tensor  # [frames, groups]
    speaker: torch.Tensor  # [1, reference channels]
    seed: int  # the seed of the noise of stage 3
    timbre: torch.Tensor | None = None  # what is added to the decode, [n_mels]; None: nothing


@dataclass(frozen=True, eq=False)
class Section:
    """A stretch of an utterance that becomes sound at once, with context on either side, whose sound is cut off."""

    codes: torch.Tensor  # [frames, groups], with the context
    speaker: torch.Tensor  # [1, reference channels]
    noise: torch.Tensor  # [frames * downsampling, width of the target's state]; standard normal
    first: int  # the code frame in ``codes`` at which the section begins
    end: int  # the code frame after the section's last one
    start: int = 0  # the code frame of the utterance at which the section begins
    # The phase of the pulses at code frames of the utterance, in turns; all sections of the utterance share it.
    turns: dict[int, float] = field(default_factory=dict)
    timbre: torch.Tensor | None = None  # as in ``Utterance``


def sections(
    model: Model, utterance: Utterance, settings: Settings, size: int | None = None, context: int | None = None
) -> list[Section]:
    """An utterance as the sections that make it up, in order.

    Args:
        model: the model that vocodes.
        utterance: a line.
        settings: of stage 3; they decide how much context is needed.
        size: code frames of a section, the last one may be shorter; without it the whole utterance is one section.
        context: code frames on either side; without it as many as can have an influence (``needed_context``). Fewer
            make a section ready sooner, at a price that ``docs/diffusion.md`` states.
    """
    frames, scale = len(utterance.codes), model.dvae.config.downsampling
    width = model.diffusion.target.width
    noise = utterance_noise([bounds.derived_seed(utterance.seed)], [frames * scale], width)[0]
    size = max(1, frames) if size is None else size
    context = needed_context(model, settings) if context is None else context
    parts, turns = [], dict[int, float]()
    for start in range(0, max(1, frames), size):
        before, after = max(0, start - context), min(frames, start + size + context)
        own = min(frames, start + size) - before
        part = noise[before * scale : after * scale]
        codes = utterance.codes[before:after]
        parts.append(
            Section(codes, utterance.speaker, part, start - before, own, start, turns, timbre=utterance.timbre)
        )
    return parts


def needed_context(model: Model, settings: Settings) -> int:
    """The number of code frames on either side of a sample that can have an influence on it.

    The sum of the receptive fields: Griffin-Lim or the filters, every prediction of stage 3, the DVAE's decoder.
    """
    iterations, target = settings.phase_iterations, model.diffusion.target
    if settings.diffusion_steps:
        count = predictions(settings.sampler, settings.diffusion_steps)
        frames = target.reach + count * model.diffusion.reach + target.phase_reach(iterations)
    else:
        frames = phase_reach(model.audio, iterations)
    return model.dvae.decoder_reach + -(-frames // model.dvae.config.downsampling)


def vocode(
    model: Model, utterances: Sequence[Utterance], settings: Settings, watch: Stopwatch, size: int | None = None
) -> list[torch.Tensor]:
    """Samples [n] of each utterance, all made in one batch; in sections of ``size`` code frames, or whole."""
    parts = [sections(model, utterance, settings, size) for utterance in utterances]
    sounds = iter(vocode_sections(model, [section for part in parts for section in part], settings, watch))
    return [torch.cat([next(sounds) for _ in part]) for part in parts]


@torch.inference_mode()
def vocode_sections(model: Model, batch: Sequence[Section], settings: Settings, watch: Stopwatch) -> list[torch.Tensor]:
    """Samples [n] of each section, without its context; the sections of an utterance must be in order."""
    if not batch:
        return []
    codes = pad_sequence([section.codes for section in batch], batch_first=True)
    frames = [len(section.noise) for section in batch]
    lengths = torch.tensor(frames, device=model.device)
    with watch.time("dvae"):
        mel = _in_timbre(model, batch, model.dvae.decode(codes.to(model.device), lengths), lengths)
    mels, states = _rows(mel, frames), None
    if settings.diffusion_steps:
        with watch.time("diffusion"):
            states = _rows(_upsample(model, batch, mel, lengths, settings), frames)
    with watch.time("phase"):
        waves = [
            _wave(model, mels[i], _continued(model, batch[i], states[i]) if states else None, settings)
            for i in range(len(batch))
        ]
    length = model.code_samples
    return [wave[part.first * length : part.end * length] for wave, part in zip(waves, batch, strict=True)]


def _in_timbre(model: Model, batch: Sequence[Section], mel: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """``mel`` [batch, frames, n_mels] with the timbre of each section; its padding stays 0."""
    if all(section.timbre is None for section in batch):
        return mel
    nothing = torch.zeros(model.audio.n_mels, device=model.device)
    timbres = [nothing if section.timbre is None else section.timbre for section in batch]
    return add_timbre(mel, torch.stack(timbres)) * frame_mask(lengths, mel.shape[1])


def _rows(stacked: torch.Tensor, lengths: list[int]) -> list[torch.Tensor]:
    """Each row of ``stacked`` [batch, frames, ...] without its padding, [1, length, ...]."""
    return [stacked[row : row + 1, :length] for row, length in enumerate(lengths)]


def _upsample(
    model: Model, batch: Sequence[Section], mel: torch.Tensor, lengths: torch.Tensor, settings: Settings
) -> torch.Tensor:
    """The clean states [batch, frames, width] of stage 3 that ``mel`` [batch, frames, n_mels] becomes."""
    if settings.guidance != 1.0 and not model.diffusion.config.null_condition:
        raise ConfigError(
            f"guidance {settings.guidance:g} of stage 3: model {model.name} was not trained with dropped conditions; use 1"
        )
    noise = pad_sequence([section.noise for section in batch], batch_first=True).to(model.device)
    speakers = torch.cat([section.speaker for section in batch])
    return upsample_from(
        noise, model.diffusion, mel, speakers, lengths, settings.diffusion_steps, settings.sampler,
        settings.guidance,
    )  # fmt: skip


def _continued(model: Model, section: Section, state: torch.Tensor) -> torch.Tensor:
    """``state`` [1, frames, width] of a section, with its pulses where the section before it left them; notes theirs."""
    target, scale = model.diffusion.target, model.dvae.config.downsampling
    if not isinstance(target, SourceTarget):
        return state
    frame = section.first * scale
    moved = target.turned(state, frame, section.turns.get(section.start, 0.0))
    reached = target.turns(moved)[0, frame::scale].tolist()
    section.turns.update({section.start + number: turns for number, turns in enumerate(reached)})
    return moved


def _wave(model: Model, mel: torch.Tensor, state: torch.Tensor | None, settings: Settings) -> torch.Tensor:
    """Samples [n] of one clean state [1, frames, width] and its decode; without a state, of the decode alone."""
    if state is None:
        samples = griffin_lim(noise_shape(mel, model.audio)[0], model.audio, settings.phase_iterations)
    else:
        samples = model.diffusion.target.samples(state, mel, settings.phase_iterations)[0]
    return samples.cpu().clamp(-1, 1)


@torch.inference_mode()
def resynthesize(
    model: Model, clip: Audio | Path | str, seed: int, settings: Settings, watch: Stopwatch
) -> torch.Tensor:
    """The samples [n] of a recording after stages 1 and 3 alone, which show what the codes can carry.

    Raises:
        AudioError: the recording cannot be read, or lasts longer than ten minutes.
    """
    recording = encode_clip(model, clip, RESYNTHESIZED_S)
    lengths = torch.tensor([recording.mel.shape[1]], device=model.device)
    speaker = model.diffusion.reference(recording.mel, lengths)
    (samples,) = vocode(model, [Utterance(recording.codes, speaker, seed)], settings, watch)
    return samples[: len(recording.samples)]
