from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks import truth as known
from tests.clips import SPEECH
from triforce_tts.audio.io import Audio, read_audio
from triforce_tts.books.book import make_book
from triforce_tts.data.common.segments import MemorySound, Segment
from triforce_tts.data.steps import book as b
from triforce_tts.data.steps import book_edges as edges
from triforce_tts.data.steps.book import BookConfig, align_text
from triforce_tts.judges.align import Aligner
from triforce_tts.judges.recognisers import Pocketsphinx
from triforce_tts.text.phonemes import Lexicon
from triforce_tts.text.tokenizer import TextTokenizer

RATE = 16000


# --- reading ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        ("I’ll", ["i'll"]),
        ("“Don't—”", ["don't"]),
        ("‘John’s", ["john's"]),
        ("dogs’", ["dogs"]),
        ("his’", ["his"]),
        ("’Tis", ["'tis"]),
        ("‘em", ["'em"]),  # quotation marks as a word processor writes them
        ("goin’,", ["goin'"]),
        ("‘said’", ["said"]),
        ("shouldn’t’ve", ["shouldntve"]),
        ("1914’s", ["nineteen", "fourteen's"]),
        ("five-o’clock", ["five", "o'clock"]),
    ],
)
def test_words_as_the_dictionary_has_them(printed: str, words: list[str]) -> None:
    """An apostrophe may be part of a word or a quotation mark; an unknown word is reduced to its letters."""
    lexicon = Lexicon.load()
    assert [edges.as_listed(word, lexicon) for word in make_book(printed).spelled] == words


def test_the_aligner_is_given_words_with_their_apostrophes(monkeypatch: pytest.MonkeyPatch) -> None:
    """If it were scored as "ill", that would be another word; the matching still uses letters only."""
    book = make_book("‘I’ll go,’ said John’s aunt.")
    assert book.words == ["ill", "go", "said", "johns", "aunt"]
    asked = []

    class Listening:
        tokenizer = TextTokenizer()

        def score(self, audio: Audio, text: str) -> float:
            asked.append(text)
            return 0.0

    monkeypatch.setattr(edges, "aligner", Listening)
    item = edges.Placed(Segment(0, 1), [], first=0, last=4)
    assert edges._Scorer(MemorySound(np.zeros(RATE, np.float32), RATE), book)(item, 0, 1) == 0
    assert asked == ["i'll go said john's aunt"]


def put(heard: list[str], text: str, monkeypatch: pytest.MonkeyPatch) -> list[Segment]:
    """Segments in which these words are heard, with the words of ``text`` that they get; edges are not refined."""
    turns = iter(heard)
    monkeypatch.setattr(b, "pocketsphinx", lambda: lambda wave: next(turns))
    segments = [Segment(float(i), i + 1.0) for i in range(len(heard))]
    sound = MemorySound(np.zeros(len(heard) * RATE, np.float32), RATE)
    align_text(sound, segments, make_book(text), BookConfig(candidates=0))
    return segments


def test_a_number_over_a_cut_is_given_to_the_side_with_more_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """1945 is three words, 1914 is two.

    If a segment does not get a number, the words of it that it heard are no match.
    """
    text = "It began in the spring of 1945 when the war had come to an end."
    begun = "it began in the spring of nineteen"
    found = put([begun, "forty five when the war had come to an end"], text, monkeypatch)
    assert [s.text for s in found] == ["It began in the spring of", "1945 when the war had come to an end."]
    assert [s.scores["text_match"] for s in found] == [round(6 / 7, 3), round(10 / 11, 3)]
    found = put([f"{begun} forty", "five when the war had come to an end"], text, monkeypatch)
    assert [s.text for s in found] == ["It began in the spring of 1945", "when the war had come to an end."]
    assert [s.scores["text_match"] for s in found] == [round(8 / 9, 3), round(8 / 9, 3)]
    even = "It began in the spring of 1914 when the war had come to an end."
    found = put([begun, "fourteen when the war had come to an end"], even, monkeypatch)
    assert [s.text for s in found] == ["It began in the spring of 1914", "when the war had come to an end."]


def test_a_number_over_several_segments_is_printed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The segments in the middle heard only the number, so without it they have no words left."""
    text = "So there were 2,641 of them at the gate."
    heard = ["so there were two", "thousand six", "hundred forty one of them at the gate"]
    found = put(heard, text, monkeypatch)
    assert [s.text for s in found] == ["So there were", "", "2,641 of them at the gate."]
    assert [(s.reason, s.value) for s in found] == [("", ""), ("text not found", "0 words in common"), ("", "")]
    heard = ["so there were two", "thousand six hundred forty", "one of them at the gate"]
    found = put(heard, text, monkeypatch)
    assert [s.text for s in found] == ["So there were", "2,641", "of them at the gate."]
    found = put(["so", "there were two", *heard[1:]], text, monkeypatch)
    assert (found[0].reason, found[0].value) == ("text not found", "1 word in common")


# --- with sound ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def remembered() -> Iterator[None]:
    """These tests put several texts to the same sounds: each sound is recognised once, and scored once with each text."""
    recognised, scored = Pocketsphinx.__call__, Aligner.score
    words: dict[bytes, str] = {}
    scores: dict[tuple[bytes, str], float | None] = {}

    def recognise(recogniser: Pocketsphinx, samples: npt.NDArray[np.float32]) -> str:
        key = samples.tobytes()
        if key not in words:
            words[key] = recognised(recogniser, samples)
        return words[key]

    def score(aligner: Aligner, audio: Audio, text: str) -> float | None:
        key = (audio.samples.numpy().tobytes(), text)
        if key not in scores:
            scores[key] = scored(aligner, audio, text)
        return scores[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pocketsphinx, "__call__", recognise)
        patch.setattr(Aligner, "score", score)
        yield


@pytest.fixture(scope="module")
def reading() -> tuple[MemorySound, list[Segment], list[str], list[str]]:
    """Six utterances with pauses, one segment for each, their texts, and passages that nobody reads."""
    rows = known.read_clips(SPEECH)
    own = [*rows["kathleen"], *rows["ls_1462"][:2]]
    pieces, segments, now = [], [], 0.0
    for clip in own:
        wave = read_audio(clip.path, RATE).samples.numpy()
        pieces += [wave, np.zeros(RATE // 2, np.float32)]
        segments.append(Segment(now, now + len(wave) / RATE))
        now += (len(wave) + RATE // 2) / RATE
    texts = [clip.text if clip.text != clip.text.upper() else clip.text.capitalize() + "." for clip in own]
    return (
        MemorySound(np.concatenate(pieces), RATE),
        segments,
        texts,
        [c.text.capitalize() + "." for c in rows["ls_2428"]],
    )


def aligned(
    reading: tuple[MemorySound, list[Segment], list[str], list[str]], text: str, **config: int
) -> list[Segment]:
    sound, segments, _, _ = reading
    fresh = [Segment(s.start_s, s.end_s) for s in segments]
    align_text(sound, fresh, make_book(text), BookConfig(**config))
    return fresh


def test_each_segment_gets_its_words_as_printed(
    reading: tuple[MemorySound, list[Segment], list[str], list[str]],
) -> None:
    texts, unread = reading[2], reading[3]
    text = "\n".join(["THE BOOK, by Somebody.", *texts[:3], *unread[:2], *texts[3:], unread[3]])
    found = aligned(reading, text)
    assert [segment.text for segment in found] == texts
    assert all(segment.details == {"transcriber": "text", "punct": True} for segment in found)
    assert all(0.35 <= segment.scores["text_match"] <= 1 for segment in found)


def test_edges_are_better_with_the_sound_than_without(
    reading: tuple[MemorySound, list[Segment], list[str], list[str]],
) -> None:
    text = " ".join(reading[2])
    right = [
        sum(s.text == t for s, t in zip(aligned(reading, text, candidates=n), reading[2], strict=True)) for n in (0, 2)
    ]
    assert right[0] < right[1] == len(reading[2])


def test_what_the_book_lacks_is_dropped(reading: tuple[MemorySound, list[Segment], list[str], list[str]]) -> None:
    texts = reading[2]
    found = aligned(reading, " ".join([*texts[:2], *texts[3:]]))
    assert found[2].reason == "text not found"
    assert [s.text for i, s in enumerate(found) if i not in (1, 2, 3)] == [
        t for i, t in enumerate(texts) if i not in (1, 2, 3)
    ]
    other = aligned(reading, " ".join(reading[3]))
    assert all(segment.reason == "text not found" for segment in other)


def test_a_short_passage_that_was_not_read_is_left_out_if_the_sound_says_so() -> None:
    """Eight words of the book lie between the second and the third that were heard."""

    def unread(item: edges.Placed, before: int, behind: int) -> float:
        return 1.0 if item.words() == [0, 1, 10, 11] else 0.0

    def read_all(item: edges.Placed, before: int, behind: int) -> float:
        return float(len(item.words()))

    for score, holes in ((unread, [(2, 10)]), (read_all, [])):
        item = edges.Placed(Segment(0.0, 5.0), ["a", "b", "c", "d"], [(0, 0), (1, 1), (2, 10), (3, 11)], 0, 12)
        edges._find_holes(item, score)  # type: ignore[arg-type]
        assert item.holes == holes
    # As many words as were heard, and two more, do not count as a passage.
    item = edges.Placed(Segment(0.0, 5.0), ["a", "x", "b"], [(0, 0), (2, 4)], 0, 5)
    edges._find_holes(item, unread)  # type: ignore[arg-type]
    assert item.holes == []
    # Of the two words that were heard there, one lies before the passage and one behind it.
    item = edges.Placed(Segment(0.0, 5.0), ["a", "x", "y", "b"], [(0, 0), (3, 9)], 0, 10)
    edges._find_holes(item, lambda item, *_: 1.0 if item.words() == [0, 1, 8, 9] else 0.0)  # type: ignore[arg-type]
    assert item.holes == [(2, 8)]
