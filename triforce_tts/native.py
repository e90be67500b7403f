"""The native operators of ``csrc``, which ``make ext`` builds into a library beside this file.

Every operator has a reference in PyTorch that computes the same, and is used if the library was not built. Without the
library a sentence takes about three times as long on a CPU.
"""

import functools
import os
import warnings
from pathlib import Path

import torch

from triforce_tts.errors import ConfigError

LIBRARY = Path(__file__).parent / "_native.so"
# the file that names the versions of torch and of the operators for which the library was built
STAMP = LIBRARY.with_suffix(".txt")
OPERATORS = 4  # the version of the operators' arguments; a library of another version is not used
BUILD = f"torch {torch.__version__}, operators {OPERATORS}"
# The environment variable for the library: with 0 it is not used, with 1 it is an error if it cannot be used.
SWITCH = "TRIFORCE_TTS_NATIVE"


@functools.cache
def available() -> bool:
    """Whether the native operators are there as ``torch.ops.triforce_tts``; the first call loads them.

    Raises:
        ConfigError: the environment asks for the operators, but they are not there.
    """
    wish = os.environ.get(SWITCH, "")
    if wish == "0":
        return False
    if not LIBRARY.is_file():
        fault = "it was not built; run 'make ext'"
    else:
        fault = _load()
        if fault and not wish:
            warnings.warn(f"the native operators are left out: {fault}", RuntimeWarning, stacklevel=2)
    if fault and wish:
        raise ConfigError(f"{SWITCH}={wish} asks for the native library {LIBRARY}: {fault}")
    return not fault


def missing() -> str:
    """A note for users without the library; empty if the library is there, or was left out on purpose."""
    if os.environ.get(SWITCH) == "0" or available():
        return ""
    return "the native operators are not built: speech takes about three times as long; 'make ext' builds them"


def _load() -> str:
    """Load the library; returns the reason if it cannot be loaded, else an empty text."""
    built = STAMP.read_text(encoding="utf-8").strip() if STAMP.is_file() else "an unknown version"
    if built != BUILD:
        return f"they were built for {built}, and this is {BUILD}; run 'make ext' again"
    try:
        torch.ops.load_library(str(LIBRARY))  # type: ignore[no-untyped-call]
    except OSError as error:
        return f"{LIBRARY} cannot be loaded ({error}); run 'make ext' again"
    _register()
    return ""


@functools.cache
def _register() -> None:
    from triforce_tts import native_ops

    native_ops.register()
