"""The texts beside recordings: which is taken for which recording, and what is said of the others."""

from pathlib import Path

from tests.data.raw.test_find import sound
from tests.data.web.test_fetch import config
from triforce_tts.data.raw.find import find_recordings

CUES = "1\n00:00:00,000 --> 00:00:02,000\n{}\n\n2\n00:00:02,000 --> 00:00:04,000\n{}\n"
WRITTEN = CUES.format("It was late.", "Nobody came.")
HEARD = CUES.format("so it was late and there was " * 9, "nobody who would have come " * 9)


def texts_in(folder: Path) -> tuple[dict[str, str], list[str]]:
    """The text of each recording by its name, and the lines that are told."""
    told: list[str] = []
    recordings, failures = find_recordings([str(folder)], folder / "d", config(), told.append)
    assert not failures
    return {Path(r.path).stem: Path(r.text).name if r.text else "" for r in recordings}, told


def test_subtitles_that_people_wrote_are_texts(tmp_path: Path) -> None:
    for name, suffix in [("a", ".srt"), ("b", ".en.vtt"), ("c", ".srt"), ("d", ".de.vtt"), ("e", ".vtt")]:
        sound(tmp_path / f"{name}.wav", f"text {name}")
        (tmp_path / f"{name}{suffix}").write_text(HEARD if name == "c" else WRITTEN)
    (tmp_path / "a.epub").touch()
    (tmp_path / "e.txt").write_text("It was late.")
    texts, told = texts_in(tmp_path)
    assert texts == {"a": "a.srt", "b": "b.en.vtt", "c": "", "d": "", "e": "e.txt"}
    assert told == [f"{tmp_path / 'c.srt'}: it is not used as a text: it has hardly any full stops"]


def test_several_texts_without_a_recording_of_their_name_are_told(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    for name in ("book.txt", "notes.txt"):
        (tmp_path / name).write_text("It was late.")
    texts, told = texts_in(tmp_path)
    assert texts == {"a": ""}
    assert len(told) == 1
    assert "2 texts (book.txt, notes.txt) have the name of no recording" in told[0]
    (tmp_path / "notes.txt").unlink()
    assert texts_in(tmp_path) == ({"a": "book.txt"}, [])
