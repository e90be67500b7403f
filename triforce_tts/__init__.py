"""Text to speech from three separately trained networks: a DVAE, a GPT and a diffusion upsampler.

from triforce_tts import Synthesizer

audio = Synthesizer.load().speak("Good morning.", seed=0)
audio.save("morning.wav")
"""

from typing import TYPE_CHECKING, Any

from triforce_tts.errors import TriforceError

if TYPE_CHECKING:
    from triforce_tts.audio.io import Audio
    from triforce_tts.synthesis import Synthesizer

__all__ = ["Audio", "Synthesizer", "TriforceError"]


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used: ``import triforce_tts`` alone is quick and quiet."""
    if name == "Synthesizer":
        from triforce_tts.synthesis import Synthesizer

        return Synthesizer
    if name == "Audio":
        from triforce_tts.audio.io import Audio

        return Audio
    raise AttributeError(f"module 'triforce_tts' has no attribute '{name}'")
