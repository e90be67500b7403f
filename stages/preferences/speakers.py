"""The speakers of a folder of shards as voices: a clip of each becomes a file, so that a model can clone it."""

from pathlib import Path

from triforce_tts.errors import ConfigError
from triforce_tts.files import atomic_path
from triforce_tts.shards import INDEX, ShardSet

VOICES = "voices"  # the folder of the clips within that of the pairs
_BEST_S = 8.0  # the clip whose length is nearest to this becomes the voice
_LEAST_S = 2.0  # a speaker whose clips are all shorter becomes no voice


def is_shards(name: str) -> bool:
    """Whether ``name`` is a folder of shards."""
    return bool(name) and (Path(name) / INDEX).is_file()


def voices_of(shares: dict[str, float], folder: Path) -> dict[str, float]:
    """The shares of voices, where each folder of shards gives its own to its speakers, evenly.

    Args:
        shares: the share of each voice: a name, a clip, or a folder of shards.
        folder: the folder of the pairs, which gets the clips.

    Raises:
        TriforceError: a folder of shards is damaged or has no speaker with a clip that can be a voice.
    """
    voices: dict[str, float] = {}
    for name, share in shares.items():
        clips = _clips(Path(name), folder / VOICES / str(len(voices))) if is_shards(name) else [name]
        voices |= {clip: share / len(clips) for clip in clips}
    return voices


def _clips(source: Path, folder: Path) -> list[str]:
    """A clip of each training speaker of the shards ``source``, written to ``folder``."""
    shards = ShardSet.open([source], "train", "audio")
    clips: list[str] = []
    for samples in shards.by_speaker.values():
        number = min(samples, key=lambda one: (abs(shards.durations_s[one] - _BEST_S), one))
        if shards.durations_s[number] < _LEAST_S:
            continue
        clip = folder / shards.keys[number]
        with atomic_path(clip) as file:
            file.write_bytes(shards.payload(number))
        clips.append(str(clip))
    if not clips:
        raise ConfigError(f"--voice {source}: none of its speakers has a clip of {_LEAST_S:g} s; give other shards")
    return clips
