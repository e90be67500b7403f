import itertools
import json

import pytest
import torch

from tests.clips import SPEECH
from tests.corpus import texts
from triforce_tts.audio.io import Audio, read_audio
from triforce_tts.data.labelled import babble
from triforce_tts.judges.align import Aligner
from triforce_tts.named_voices import named_clips
from triforce_tts.text.normalize import normalize

DEFAULT_TEXT = "DEFAULT"


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    return Aligner()


def test_the_babbler_tells_when_it_speaks_each_letter() -> None:
    """A lead of .05 s, then .08 s for each letter and .12 s for each space."""
    assert babble.alignment("ab, c") == [[0.05, 0.13, 0.21], [0.45, 0.53]]
    for text in texts(12):
        assert babble.alignment(text)[-1][-1] + 0.1 == pytest.approx(babble.speak(text, "low").duration_s, abs=1e-3)


def kathleen() -> tuple[Audio, str]:
    """The clip of a voice of the package, and its words."""
    text = "That Longfellow chap most likely had written countless books of poetry."
    return read_audio(named_clips()["kathleen"], 16000), text


def test_an_alignment_depends_on_its_recording_alone(aligner: Aligner) -> None:
    """The decoder kept its estimate of the noise after a clip, and that moved the edges in the next clip."""
    rows = [json.loads(line) for line in (SPEECH / "manifest.jsonl").read_text(encoding="utf-8").splitlines()][4:8]
    clips = [(read_audio(SPEECH / row["audio"], 16000), row["text"]) for row in rows]
    there, back = ([aligner(audio, text) for audio, text in order] for order in (clips, clips[::-1]))
    assert there == back[::-1]
    assert None not in there


def test_words_and_sounds_of_real_speech(aligner: Aligner) -> None:
    """Eleven words are placed in order, with one end for each symbol, from the first sound to the last."""
    audio, text = kathleen()
    words = aligner(audio, text)
    assert words is not None
    pieces = [piece for piece in aligner.tokenizer.spell(normalize(text)) if piece.is_word]
    assert len(words) == len(pieces) == 11
    times = list(itertools.chain(*words))
    assert times == sorted(times)
    assert all(len(word) in (2, len(piece.symbols) + 1) for word, piece in zip(words, pieces, strict=True))
    loud = torch.nn.functional.avg_pool1d(audio.samples[None].abs(), 400)[0] > 0.01
    first, last = (float(loud.nonzero()[i]) * 0.025 for i in (0, -1))
    assert words[0][0] == pytest.approx(first, abs=0.15)
    assert words[-1][-1] == pytest.approx(last, abs=0.25)


def test_silence_before_the_speech_shifts_its_words(aligner: Aligner) -> None:
    audio, text = kathleen()
    later = Audio(torch.cat((torch.zeros(8000), audio.samples)), 16000)
    before, after = aligner(audio, text), aligner(later, text)
    assert before is not None
    assert after is not None
    for early, late in zip(before, after, strict=True):
        assert late[0] - early[0] == pytest.approx(0.5, abs=0.1)


def test_an_alignment_does_not_depend_on_the_one_before(aligner: Aligner) -> None:
    audio, text = kathleen()
    first = aligner(audio, text)
    aligner(babble.speak("a cat sat", "low"), "a cat sat")
    assert aligner(audio, text) == first == Aligner()(audio, text)


def test_words_that_the_lexicon_does_not_know_are_placed_too(aligner: Aligner) -> None:
    audio, text = kathleen()
    words = aligner(audio, text.replace("Longfellow", "Longfelleau"))
    assert words is not None
    assert words[1][0] == pytest.approx(0.4, abs=0.4)
    assert words[2][0] > words[1][0] + 0.3


def test_what_does_not_fit_has_no_alignment(aligner: Aligner) -> None:
    audio, _ = kathleen()
    assert aligner(audio, "...") is None
    assert aligner(Audio(audio.samples[:4000], 16000), "a text that is far too long for a quarter of a second") is None
