"""Lets a recogniser hear each clip, and refuses clips that say something else than their text."""

from dataclasses import dataclass

from triforce_tts.audio.io import Audio
from triforce_tts.audio.resample import ANALYSIS_RATE, resample
from triforce_tts.errors import ShardError
from triforce_tts.judges import recognisers, words
from triforce_tts.judges.networks import absent

WORDS_WRONG = 0.5  # the recogniser's own errors in clear speech with a right text seldom reach this share


@dataclass(frozen=True)
class Hearing:
    """The recogniser, and the share of a clip's words that it may hear wrongly."""

    recogniser: str  # a choice of judges.recognisers, other than auto
    max_words_wrong: float = WORDS_WRONG


@dataclass(frozen=True)
class Transcript:
    """What a recogniser heard in a clip, how many of the text's words it heard wrongly, and the name of the recogniser."""

    text: str
    edits: words.Edits
    recogniser: str


def open_hearing(recogniser: str, max_words_wrong: float) -> tuple[Hearing, str]:
    """The settings, and a line for the user that names the recogniser.

    Raises:
        TriforceError: the recogniser or a package is missing.
    """
    if missing := absent(*words.PACKAGES):
        raise ShardError(f"--recogniser {recogniser}: {' and '.join(missing)} cannot be found; {recognisers.INSTALL}")
    choice = recognisers.choose(recogniser)
    if choice.recogniser is None:
        raise ShardError(f"--recogniser {recogniser}: {choice.remark}")
    name = recognisers.open_recogniser(choice.recogniser).name
    remark = f" ({choice.remark})" if choice.remark else ""
    return Hearing(choice.recogniser, max_words_wrong), f"each clip is heard by {name}{remark}"


def hear(audio: Audio, text: str, hearing: Hearing) -> Transcript:
    """Let the recogniser hear a clip and compare what it heard with the clip's ``text``."""
    recogniser = recognisers.open_recogniser(hearing.recogniser)
    transcript = recogniser.hear(resample(audio.samples.numpy(), audio.sample_rate, ANALYSIS_RATE))
    return Transcript(transcript, words.word_edits(text, transcript), recogniser.name)
