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


def test_subtitles_that_do_not_fit_leave_the_text_to_a_recogniser(tmp_path: Path) -> None:
    german = CUES.format("Es war schon spät, und niemand kam mehr zu uns.", "Wir haben lange auf ihn gewartet.")
    for name, content in (("a", german.encode()), ("b", CUES.format("Café.", "Où?").encode("cp1252")), ("c", b"")):
        sound(tmp_path / f"{name}.wav", f"text {name}")
        (tmp_path / f"{name}.srt").write_bytes(content)
    texts, told = texts_in(tmp_path)
    assert texts == {"a": "", "b": "", "c": ""}
    assert [line.replace(f"{tmp_path}/", "") for line in told] == [
        "a.srt: it is not used as a text: it is in another language (de)",
        "not used as a text: b.srt: not UTF-8 text (byte 0xe9 at 35; it looks like cp1252 (Windows) or Latin-1); save it as UTF-8",
        "c.srt: it is not used as a text: it has no words",
    ]


def test_subtitles_of_a_machine_come_last(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    for name in ("a.en-orig.vtt", "a.en.vtt"):
        (tmp_path / name).write_text(WRITTEN)
    assert texts_in(tmp_path) == ({"a": "a.en.vtt"}, [])


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


def test_a_text_may_be_called_by_the_whole_name_of_its_recording(tmp_path: Path) -> None:
    for name in ("a", "b"):
        sound(tmp_path / f"{name}.wav", f"text {name}")
        (tmp_path / f"{name}.wav.txt").write_text("It was late.")
    texts, told = texts_in(tmp_path)
    assert (texts, told) == ({"a": "a.wav.txt", "b": "b.wav.txt"}, [])
