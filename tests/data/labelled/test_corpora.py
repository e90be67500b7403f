"""Trees of well-known corpora, written by hand from their documentation."""

import json
from pathlib import Path

import pytest

from triforce_tts.data.common.licences import license_beside, license_name
from triforce_tts.data.labelled.labels import find_clips


def put(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_ljspeech(tmp_path: Path) -> None:
    folder = tmp_path / "LJSpeech-1.1"
    rows = [
        'LJ001-0001|He said "so in 1903.|He said "so in nineteen oh three.',
        "LJ001-0002|Only two columns.",
        "LJ001-0003|An empty third.|",
        "LJ001-0004|NO SOUND|NO SOUND",
    ]
    put(folder / "metadata.csv", "\n".join(rows) + "\n")
    for number in (1, 2, 3, 9):
        put(folder / "wavs" / f"LJ001-000{number}.wav")
    found = {r.id: r for r in find_clips([folder]).clips}
    assert {name: r.text for name, r in found.items()} == {
        "LJ001-0001": 'He said "so in nineteen oh three.',
        "LJ001-0002": "Only two columns.",
        "LJ001-0003": "An empty third.",
        "LJ001-0004": "NO SOUND",  # it gives a clip, so that the build counts it as unreadable
        "wavs_LJ001-0009": "",  # no row names it, so it counts as a clip without text
    }
    first = found["LJ001-0001"]
    assert first.audio == str(folder / "wavs" / "LJ001-0001.wav")
    assert (first.speaker, first.collection, first.license) == ("LJSpeech-1.1", "LJSpeech-1.1", "unknown")
    assert (first.punct, found["LJ001-0004"].punct) == (True, False)


@pytest.mark.parametrize(
    ("name", "text", "licence"),
    [
        ("README", "The clips and texts are in the\npublic domain.", "Public domain"),
        ("README.md", "This is not in the public domain.", "unknown"),
        ("README.md", "Public domain texts, read under CC BY 4.0.", "unknown"),
        ("LICENSE", "CC-BY-4.0\nworks in the public domain ...", "CC-BY-4.0"),
        ("LICENSE.txt", "Public Domain", "Public domain"),
    ],
)
def test_ljspeech_is_public_domain_only_where_it_says_so(tmp_path: Path, name: str, text: str, licence: str) -> None:
    put(tmp_path / "lj" / "metadata.csv", "a|b c|b c\n")
    put(tmp_path / "lj" / "wavs" / "a.wav")
    put(tmp_path / "lj" / name, text)
    assert [r.license for r in find_clips([tmp_path]).clips] == [licence]


def test_ljspeech_with_other_sounds_and_names(tmp_path: Path) -> None:
    put(tmp_path / "lj" / "metadata.csv", "\ufeffa|one\n\nb.wav|two\n")
    put(tmp_path / "lj" / "wavs" / "a.flac")
    put(tmp_path / "lj" / "wavs" / "b.wav")
    found = find_clips([tmp_path]).clips
    assert [(r.id, Path(r.audio).name, r.text) for r in found] == [("a", "a.flac", "one"), ("b", "b.wav", "two")]


def test_a_wrong_row_of_ljspeech_is_named(tmp_path: Path) -> None:
    put(tmp_path / "metadata.csv", "a|one\nb\n")
    (tmp_path / "wavs").mkdir()
    found = find_clips([tmp_path])
    assert [r.id for r in found.clips] == ["a"]
    (drop,) = found.drops
    assert drop.reason == "line not read"
    assert "metadata.csv, line 2: expected id|text, found 'b'" in drop.value


SPEAKERS = """;ID  |SEX| SUBSET           |MINUTES| NAME
14   | F | train-clean-360  | 25.03 | Kristin LeMoine
84   | F | dev-clean        | 8.02  | Christie Nowak | alias
"""


@pytest.mark.parametrize("given", [".", "dev-clean"])
def test_librispeech(tmp_path: Path, given: str) -> None:
    top = tmp_path / "LibriSpeech"
    chapter = top / "dev-clean" / "84" / "121123"
    put(top / "SPEAKERS.TXT", SPEAKERS)
    put(top / "LICENSE.TXT", "CC-BY-4.0\n")
    put(chapter / "84-121123.trans.txt", "84-121123-0000 GO DO YOU HEAR\n84-121123-0001 BUT IN LESS\n")
    for number in (0, 1, 2):
        put(chapter / f"84-121123-000{number}.flac")
    found = {r.id: r for r in find_clips([top / given]).clips}
    first = found["84-121123-0000"]
    assert (first.text, first.punct, first.speaker) == ("GO DO YOU HEAR", False, "84")
    assert (first.reader, first.license) == ("Christie Nowak | alias", "CC-BY-4.0")
    assert first.audio == str(top / given / chapter.relative_to(top / given) / "84-121123-0000.flac")
    assert found["84-121123-0001"].text == "BUT IN LESS"
    assert [r.text for r in found.values()].count("") == 1  # the third sound file, which no line names


def test_libritts(tmp_path: Path) -> None:
    chapter = tmp_path / "LibriTTS" / "dev-clean" / "84" / "121123"
    name = "84_121123_000007_000001"
    put(chapter / f"{name}.wav")
    put(chapter / f"{name}.normalized.txt", "Maximilian, my friend.\n")
    put(chapter / f"{name}.original.txt", "MAXIMILIAN, my friend.\n")
    put(chapter / "84_121123.trans.tsv", "x\ty\n")
    (only,) = find_clips([tmp_path / "LibriTTS"]).clips
    assert (only.id, only.text, only.punct, only.speaker) == (name, "Maximilian, my friend.", True, "84")
    assert (only.reader, only.collection, only.license) == (None, "LibriTTS", "unknown")


def test_corpora_and_pairs_side_by_side(tmp_path: Path) -> None:
    put(tmp_path / "lj" / "metadata.csv", "a|one\n")
    put(tmp_path / "lj" / "wavs" / "a.wav")
    put(tmp_path / "ann" / "x.wav")
    put(tmp_path / "ann" / "x.txt", "two")
    assert [(r.id, r.text, r.speaker) for r in find_clips([tmp_path]).clips] == [
        ("a", "one", "lj"),
        ("ann_x", "two", "ann"),
    ]


def test_a_manifest_stands_before_a_tree(tmp_path: Path) -> None:
    put(tmp_path / "metadata.csv", "a|one\n")
    put(tmp_path / "wavs" / "a.wav")
    put(tmp_path / "manifest.jsonl", json.dumps({"id": "m", "audio": "m.wav", "text": "t", "speaker": "s"}))
    assert [r.id for r in find_clips([tmp_path]).clips] == ["m"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("http://creativecommons.org/licenses/by-nc-sa/3.0/us/", "CC-BY-NC-SA-3.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/deed.en", "Public domain"),
        ("  © 2024\n Somebody ", "© 2024 Somebody"),
        ("  ", "unknown"),
    ],
)
def test_names_of_licences(text: str, name: str) -> None:
    assert license_name(text) == name


def test_the_nearest_licence_counts_and_none_above_the_top(tmp_path: Path) -> None:
    put(tmp_path / "LICENSE", "outside")
    top = tmp_path / "top"
    inner = top / "a" / "b"
    inner.mkdir(parents=True)
    assert license_beside(inner, top) == "unknown"
    put(top / "LICENSE", "CC0-1.0")
    assert license_beside(inner, top) == "CC0-1.0"
    put(top / "a" / "LICENSE", "\n\n")  # it names no licence
    assert license_beside(inner, top) == "CC0-1.0"
    put(inner / "LICENSE", "CC-BY-4.0")
    assert license_beside(inner, top) == "CC-BY-4.0"


def test_a_text_may_lie_beside_its_sound_as_lab(tmp_path: Path) -> None:
    for name, ending in (("a", ".lab"), ("b", ".LAB"), ("c", ".txt")):
        (tmp_path / f"{name}.wav").write_bytes(b"")
        (tmp_path / f"{name}{ending}").write_text(f"words of {name}\n")
    (tmp_path / "c.lab").write_text("a .txt comes first")
    assert [clip.text for clip in find_clips([tmp_path]).clips] == ["words of a", "words of b", "words of c"]


def table(folder: Path, *rows: str) -> Path:
    put(folder / "metadata.csv", "\n".join(rows))
    for line in rows:
        put(folder / "wavs" / f"{line.split('|')[0]}.wav")
    return folder


def test_tables_of_one_source_that_share_ids_are_all_read(tmp_path: Path) -> None:
    table(tmp_path / "all" / "ann", "1|Hello there.", "2|Good day.")
    table(tmp_path / "all" / "bob", "1|Hello there.", "3|Good night.", "1|Once more.")
    found = find_clips([tmp_path / "all"])
    assert {r.id: (r.speaker, r.text) for r in found.clips} == {
        "all_ann_wavs_1": ("ann", "Hello there."),
        "all_bob_wavs_1": ("bob", "Hello there."),
        "2": ("ann", "Good day."),
        "3": ("bob", "Good night."),
    }
    assert [(drop.id, drop.reason) for drop in found.drops] == [("1", "listed twice")]


def test_keys_do_not_tell_where_links_lead(tmp_path: Path) -> None:
    table(tmp_path / "all" / "ann", "1|Hello there.")
    (tmp_path / "all" / "bob").symlink_to(table(tmp_path / "disk" / "7", "1|Good day."))
    put(tmp_path / "disk" / "store" / "x.wav")
    (tmp_path / "all" / "ann" / "wavs" / "1.wav").unlink()
    (tmp_path / "all" / "ann" / "wavs" / "1.wav").symlink_to(tmp_path / "disk" / "store" / "x.wav")
    (tmp_path / "link").symlink_to(tmp_path / "all")
    for source in ("all", "link"):
        found = find_clips([tmp_path / source])
        assert [clip.id for clip in found.clips] == ["all_ann_wavs_1", "all_bob_wavs_1"]


def test_a_copy_of_a_table_adds_nothing(tmp_path: Path) -> None:
    for copy in ("a", "b"):
        table(tmp_path / copy / "x", "1|Hello there.")
    found = find_clips([tmp_path])
    assert ([r.id for r in found.clips], [drop.reason for drop in found.drops]) == (["1"], ["listed twice"])


def test_a_manifest_below_a_source_is_named(tmp_path: Path) -> None:
    deep = put(tmp_path / "deep" / "manifest.jsonl").parent
    put(tmp_path / "b.wav")
    put(tmp_path / "b.txt", "words")
    assert find_clips([tmp_path]).notes == [f"{deep / 'manifest.jsonl'}: not used; give {deep} as a source of its own"]


def test_a_text_with_the_times_of_subtitles_is_left_out(tmp_path: Path) -> None:
    put(tmp_path / "a.wav")
    put(tmp_path / "a.txt", "1\n00:00:00,000 --> 00:00:03,000\nHello there.\n")
    found = find_clips([put(tmp_path / "b.wav").parent])
    assert [(drop.id, drop.reason) for drop in found.drops] == [("a", "text not read")]
    assert "a.txt, line 2: subtitles" in found.drops[0].value


def test_the_audio_of_a_manifest_may_lie_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    sound = put(tmp_path / "home" / "m.wav")
    row = {"id": "m", "audio": "~/m.wav", "text": "t", "speaker": "s"}
    put(tmp_path / "corpus" / "manifest.jsonl", json.dumps(row))
    assert [clip.audio for clip in find_clips([tmp_path / "corpus"]).clips] == [str(sound)]


def test_clips_may_be_of_any_format_of_sound_and_call_their_texts_by_it(tmp_path: Path) -> None:
    for name in ("a.aiff", "b.WMA", "c.caf", "d.mp4", "e.wav"):
        put(tmp_path / "corpus" / name)
    for name in ("a.txt", "b.txt", "c.caf.txt", "d.lab", "e.wav.txt"):
        put(tmp_path / "corpus" / name, f"Text {name[0]}.")
    found = find_clips([tmp_path / "corpus"])
    assert {r.id: r.text for r in found.clips} == {name: f"Text {name}." for name in "abcde"}
    assert not found.drops and not found.notes
