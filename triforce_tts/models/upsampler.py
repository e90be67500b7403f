"""The networks of stage 3: a flow that carries noise to speech, or a source with filters. One interface serves both."""

from triforce_tts.audio.mel import AudioConfig
from triforce_tts.models.diffusion import Diffusion
from triforce_tts.models.source_filter import SourceFilter
from triforce_tts.models.targets import DiffusionConfig

# Both have ``reference``, ``target``, ``reach`` and the same call.
Upsampler = Diffusion | SourceFilter


def make_upsampler(config: DiffusionConfig, audio: AudioConfig) -> Upsampler:
    """A new network for the target that ``config`` names.

    Raises:
        ConfigError: there are more bands than bins, or the hop is no multiple of the frames of a source.
    """
    return SourceFilter(config, audio) if config.target == "source" else Diffusion(config, audio)
