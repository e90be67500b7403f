"""Drops segments with wrong texts: another language, too fast or too slow, repeated or invented by a recogniser.

The thresholds, and what happens exactly at them, are those of NVIDIA's NeMo Curator and Speech Data Processor
(``whisper_hallucination``) and of Emilia-Pipe, where these have one. Only the rates of characters are not theirs. Every
threshold is a setting.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pydantic import PositiveFloat, PositiveInt

from triforce_tts.schema import Config

from ..common.segments import Segment

# Whisper writes these phrases where nobody speaks; they are credits of the subtitles that it learnt from.
PHRASES = (
    "thanks for watching", "thank you for watching", "please subscribe", "like and subscribe", "subscribe to my channel",
    "subtitles by", "subtitled by", "captions by", "captioned by", "transcribed by", "transcription by", "amara.org",
    "see you in the next video", "copyright wdr", "untertitel",
)  # fmt: skip


class TextChecksConfig(Config):
    """The limits that a text must keep."""

    min_characters_per_second: PositiveFloat = 4.0  # below this rate, words are missing in the text
    # Above this rate, words are missing in the sound, or the text is invented. NVIDIA has 40, but nobody reads that
    # fast: the fastest of 2 775 utterances has 23.
    max_characters_per_second: PositiveFloat = 30.0
    min_unique_words: float = 0.4  # the number of different words must be more than this share of all words of the text
    repeats_from: PositiveInt = 8  # shorter texts, in words, need not keep ``min_unique_words``
    max_same_in_a_row: PositiveInt = 3  # how many times a stretch of 1 to 4 words may stand in a row
    max_word: PositiveInt = 25  # characters; each word must be shorter. NVIDIA has 35 for languages that join words
    # The length of the longest word minus that of the next longest, divided by that of the next longest, must be
    # smaller. For languages that join words NVIDIA has no such limit. None of 2 775 English texts has more than 2.33.
    max_longer: PositiveFloat = 3.0
    # The recogniser's probability of the language, if it gives one, must be higher.
    min_language_probability: float = 0.8
    language: str = "en"  # the language of the text
    # The probability of another language, judged by the letters of the text, must not be higher. It is so for 2 775
    # English texts.
    max_other_language: float = 0.9
    language_from: PositiveInt = 4  # a text with fewer words is not judged by its letters
    phrases: tuple[str, ...] = PHRASES


def check_text(segments: Sequence[Segment], config: TextChecksConfig) -> None:
    """Drop the kept segments whose text fails a check, and add the score ``characters_per_second``."""
    for segment in segments:
        if segment.kept and segment.text:
            _check(segment, config)


def _check(segment: Segment, config: TextChecksConfig) -> None:
    words = re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", segment.text.lower())
    if not words:
        segment.drop("no words in the text", segment.text)
        return
    rate = len(segment.text) / segment.seconds
    segment.scores["characters_per_second"] = round(rate, 2)
    if not config.min_characters_per_second <= rate <= config.max_characters_per_second:
        segment.drop("text does not fit", f"{rate:.1f} characters a second")
    sure = segment.scores.get("language_probability", 1.0)
    if sure <= config.min_language_probability:
        segment.drop("another language", f"probability {sure:.2f}")
    if len(words) >= config.language_from:
        language, probability = guess_language(segment.text)
        if language != config.language and probability > config.max_other_language:
            segment.drop("another language", f"{language}, {probability:.2f}")
    unique = len(set(words)) / len(words)
    if len(words) >= config.repeats_from and unique <= config.min_unique_words:
        segment.drop("repeated text", f"{100 * unique:.0f} % different words")
    if (times := most_in_a_row(words)) > config.max_same_in_a_row:
        segment.drop("repeated text", f"{times} times in a row")
    *others, longest = sorted(words, key=len)
    if len(longest) >= config.max_word:
        segment.drop("invented text", longest)
    if others and (longer := len(longest) / len(others[-1]) - 1) >= config.max_longer:
        segment.drop("invented text", f"{longest}, {longer:.1f} times longer than the next")
    lower = " ".join(segment.text.lower().split())
    for phrase in config.phrases:
        if phrase in lower:
            segment.drop("invented text", phrase)


def most_in_a_row(words: Sequence[str], longest: int = 4) -> int:
    """The largest number of times that a stretch of at most ``longest`` words stands in a row."""
    most = 1
    for size in range(1, longest + 1):
        for start in range(len(words) - size):
            times = 1
            while words[start + times * size : start + (times + 1) * size] == words[start : start + size]:
                times += 1
            most = max(most, times)
    return most


def guess_language(text: str) -> tuple[str, float]:
    """The most likely of 97 languages (ISO 639-1), judged by the letters of ``text``, and its probability."""
    # The text is changed to lower case, because the classifier takes English in capitals for German.
    language, probability = _identifier().classify(text.lower())
    return str(language), float(probability)


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
