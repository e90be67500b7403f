"""The clips that come with the tests; their manifest has the licences."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from triforce_tts.audio.io import read_audio

SPEECH = Path(__file__).parent / "speech"


def spoken(name: str, rate: int = 16000) -> npt.NDArray[np.float32]:
    """The samples [n] of a clip, such as ``kathleen-00``, at ``rate`` Hz."""
    samples: npt.NDArray[np.float32] = read_audio(SPEECH / f"{name}.ogg", rate).samples.numpy()
    return samples
