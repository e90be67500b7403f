"""Voices that are called by a name instead of a path: those that come with the package, and those that the user added.

An added voice is a folder, see ``voice_store``. Nothing here imports torch, because ``--help`` must not wait for it.
"""

import os
from importlib import resources
from pathlib import Path

from triforce_tts.errors import AudioError
from triforce_tts.files import as_path, from_home

PLACE = "TRIFORCE_TTS_VOICES"  # the environment variable that names the folder of the added voices
CLIP = "clip.flac"  # the file with the clip, in the folder of an added voice
_NO_NAMES = ("clip", "voice", "default")  # names of files, in models and elsewhere, that say nothing of a voice


def named_clips() -> dict[str, Path]:
    """The clip of each voice of the package, by the name of the voice."""
    folder = Path(str(resources.files("triforce_tts"))) / "assets" / "voices"
    return {path.stem: path for path in sorted(folder.glob("*.flac"))}


def voices_folder() -> Path:
    """The folder of the added voices: ``$TRIFORCE_TTS_VOICES``, or one in the user's home."""
    folder = os.environ.get(PLACE)
    return Path(from_home(folder)) if folder else Path.home() / ".local" / "share" / "triforce-tts" / "voices"


def added_clips() -> dict[str, Path]:
    """The clip of each added voice, by the name of the voice.

    Raises:
        AudioError: the folder of the added voices cannot be read.
    """
    folder = voices_folder()
    try:
        entries = sorted(folder.iterdir()) if folder.is_dir() else []
        clips = {entry.name: entry / CLIP for entry in entries if not entry.name.startswith(".")}
        return {name: clip for name, clip in clips.items() if clip.is_file()}
    except OSError as error:
        raise AudioError(f"{folder}: the added voices cannot be read ({error.strerror}); set {PLACE}") from error


def is_named(voice: Path | str) -> bool:
    """Whether ``voice`` is the name of a voice; a file of that name comes first."""
    return not Path(voice).exists() and (str(voice) in named_clips() or str(voice) in added_clips())


def voice_name(voice: Path | str) -> str:
    """The name of a voice that is given by its name or by a clip; empty for a clip whose file only says that it is one."""
    path = Path(voice)
    return "" if path.stem.casefold() in _NO_NAMES else path.stem


def find_clip(voice: Path | str) -> Path:
    """The clip that ``voice`` means: a file, or the name of an added voice or of one of the package.

    Raises:
        AudioError: ``voice`` is none of these.
        ConfigError: it is no path.
    """
    path = as_path(voice, "the voice")
    if path.exists():
        return path
    clips = {**named_clips(), **added_clips()}
    if str(voice) not in clips:
        raise AudioError(
            f"{voice}: no such file, and no voice of that name; give a clip, or one of: {', '.join(clips)}"
        )
    return clips[str(voice)]
