"""From text to speech: the parts of the synthesis, and one class in front of them.

``Synthesizer`` is the face. The parts can be composed in other ways: ``model`` (a model folder in memory), ``script``
(text to lines), ``speaking`` (lines to codes and sound, in batches), ``vocoding`` (codes to waves, in batches and in
chunks), ``clips`` and ``hearing`` (recordings to codes and to text).
"""

from triforce_tts.synthesis.model import Model, bundled_model, check_lineage, choose_device, load_model
from triforce_tts.synthesis.settings import Settings
from triforce_tts.synthesis.stopwatch import Stopwatch
from triforce_tts.synthesis.synthesizer import Synthesizer
from triforce_tts.synthesis.vocoding import RESYNTHESIZED_S

__all__ = [
    "RESYNTHESIZED_S",
    "Model",
    "Settings",
    "Stopwatch",
    "Synthesizer",
    "bundled_model",
    "check_lineage",
    "choose_device",
    "load_model",
]
