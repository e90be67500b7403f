"""Native operators: what ``csrc`` holds, built by ``make ext`` into a library beside this file.

Every operator has a reference in PyTorch that computes the same, and that serves where nothing was built.
"""

import functools
import os
import sys
import warnings
from pathlib import Path

import torch

from triforce_tts.errors import ConfigError

LIBRARY = Path(__file__).parent / f"_native{'.dll' if sys.platform == 'win32' else '.so'}"
SWITCH = "TRIFORCE_TTS_NATIVE"  # environment: 0 leaves the library alone, 1 refuses to go on without it


@functools.cache
def available() -> bool:
    """Whether the native operators are there as ``torch.ops.triforce_tts``; the first call loads them.

    Raises:
        ConfigError: the environment asks for them, and they are not there.
    """
    wish = os.environ.get(SWITCH, "")
    if wish == "0":
        return False
    fault = _load() if LIBRARY.is_file() else "it was not built ('make ext' builds it)"
    if fault and wish == "1":
        raise ConfigError(f"{SWITCH}=1 asks for the native library {LIBRARY}: {fault}")
    return not fault


def _load() -> str:
    """Why the library cannot be loaded; empty if it was."""
    stamp = LIBRARY.with_suffix(".txt")
    built = stamp.read_text(encoding="utf-8").strip() if stamp.is_file() else "an unknown version"
    fault = f"it was built for torch {built}, this is {torch.__version__}: run 'make ext' again"
    if built == torch.__version__:
        try:
            torch.ops.load_library(str(LIBRARY))
        except OSError as error:
            fault = f"it cannot be loaded ({error})"
        else:
            return ""
    warnings.warn(f"native library {LIBRARY.name} is left out: {fault}", RuntimeWarning, stacklevel=3)
    return fault
