"""What must be true of the files and the output of a command that ended well."""

import json
from pathlib import Path

import numpy as np
import soundfile as sf

from .case import Check, Done


def sounds(name: str = "out.wav", at_least_s: float = 0.0) -> Check:
    """The file holds sound: all values are finite, and it is not shorter than it must be."""

    def check(folder: Path, done: Done) -> str:
        file = folder / name
        if not file.is_file():
            return f"{name} was not written"
        samples, rate = sf.read(file, dtype="float32")
        if not np.isfinite(samples).all():
            return f"{name} holds values that are not finite"
        return "" if len(samples) >= max(1.0, at_least_s * rate) else f"{name} holds {len(samples) / rate:.2f} s"

    return check


def tells(*expected: str) -> Check:
    """The command's output holds these words."""

    def check(folder: Path, done: Done) -> str:
        missing = [word for word in expected if word not in done.out + done.err]
        return f"its output lacks {missing}" if missing else ""

    return check


def kept(count: int) -> Check:
    """The build in ``made`` holds at least ``count`` recordings."""

    def check(folder: Path, done: Done) -> str:
        index = json.loads((folder / "made" / "index.json").read_text())
        samples = sum(split["samples"] for split in index["splits"].values())
        return "" if samples >= count else f"kept {samples} of {count} good recordings"

    return check


def found_talk(folder: Path, done: Done) -> str:
    """The build in ``made`` has found the good recording of the world's raw folder."""
    sources = json.loads((folder / "made" / "work" / "sources.json").read_text())["sources"]
    return "" if any("talk" in source["path"] for source in sources) else "the good recording was not found"
