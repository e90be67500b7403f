"""Lists and texts as people write them: every encoding, every kind of name; a bad item never stops the others."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from triforce_tts.data.common.clips import Inventory
from triforce_tts.data.labelled.labels import find_clips
from triforce_tts.data.labelled.tables import parse_columns
from triforce_tts.errors import ShardError

SMART = "It\u2019s caf\u00e9 time."


def put(path: Path, content: str | bytes = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def row(**fields: Any) -> str:
    return json.dumps({"id": "a", "audio": "a.wav", "text": "some words", "speaker": "s"} | fields, ensure_ascii=False)


def texts(found: Inventory) -> dict[str, str]:
    return {r.id: r.text for r in found.clips}


def reasons(found: Inventory) -> dict[str, str]:
    return {Path(drop.id).name: drop.reason for drop in found.drops}


# --- encodings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_honoured(tmp_path: Path, encoding: str) -> None:
    put(tmp_path / "lj" / "metadata.csv", f"a|{SMART}\r\nb|{SMART}\r\n".encode(encoding))
    put(tmp_path / "lj" / "wavs" / "a.wav")
    put(tmp_path / "lj" / "wavs" / "b.wav")
    put(tmp_path / "pair" / "x.wav")
    put(tmp_path / "pair" / "x.txt", SMART.encode(encoding))
    put(tmp_path / "84" / "1" / "84-1.trans.txt", f"84-1-0 {SMART}\n".encode(encoding))
    put(tmp_path / "84" / "1" / "84-1-0.flac")
    put(tmp_path / "m" / "manifest.jsonl", row(text=SMART).encode(encoding))
    assert texts(find_clips([tmp_path])) == dict.fromkeys(("a", "b", "84-1-0", "pair_x"), SMART)
    assert texts(find_clips([tmp_path / "m"])) == {"a": SMART}


@pytest.mark.parametrize(
    ("encoding", "guess"),
    [("cp1252", "cp1252"), ("utf-16-le", "UTF-16 without a byte-order mark"), ("utf-16-be", "UTF-16 without")],
)
def test_other_encodings_are_named_and_the_rest_goes_on(tmp_path: Path, encoding: str, guess: str) -> None:
    put(tmp_path / "lj" / "metadata.csv", f"a|{SMART}\n".encode(encoding))
    put(tmp_path / "lj" / "wavs" / "a.wav")
    put(tmp_path / "84" / "1" / "84-1.trans.txt", f"84-1-0 {SMART}\n".encode(encoding))
    put(tmp_path / "84" / "1" / "84-1-0.flac")
    put(tmp_path / "84" / "2" / "84_2_0.normalized.txt", SMART.encode(encoding))
    put(tmp_path / "84" / "2" / "84_2_0.wav")
    put(tmp_path / "pair" / "x.wav")
    put(tmp_path / "pair" / "x.txt", SMART.encode(encoding))
    put(tmp_path / "pair" / "y.wav")
    put(tmp_path / "pair" / "y.txt", "good")
    found = find_clips([tmp_path])
    assert texts(found)["pair_y"] == "good"
    assert SMART not in texts(found).values()
    for name in ("metadata.csv", "84-1.trans.txt", "84_2_0.normalized.txt", "x.txt"):
        (told,) = [drop.value for drop in found.drops if name in drop.value]
        assert guess in told and "UTF-8" in told


def test_one_line_in_another_encoding_costs_only_itself(tmp_path: Path) -> None:
    lines = [row(), row(id="b", text=SMART), row(id="c")]
    put(tmp_path / "manifest.jsonl", b"\n".join(line.encode("cp1252") for line in lines))
    found = find_clips([tmp_path])
    assert sorted(texts(found)) == ["a", "c"]
    (drop,) = found.drops
    assert "manifest.jsonl, line 2: not UTF-8 text (byte 0x92" in drop.value


# --- manifests -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (row(id="bad", text=None), "'text'"),
        (row(id="bad", speaker=7), "'speaker'"),
        (row(id=3), "'id'"),
        (row(id="bad", audio=["a.wav"]), "'audio'"),
        (row(id="bad", audio="a\0b.wav"), "'audio'"),
        (row(id="bad", speaker="a\nb"), "'speaker'"),
        (row(id="bad", speaker="  "), "'speaker'"),
        (row(id="bad", snr_db="loud"), "'snr_db'"),
        (row(id="bad", alignment=[[0.1, "x"]]), "'alignment"),
        ('{"id": "bad", "audio": "a.wav", "text": "t"}', "'speaker' is missing"),
        ('{"id": "bad", "audio": "a.wav", "text": "t", "speaker": "s", "snr_db": NaN}', "snr_db"),
        ('{"id": "bad", "audio": "a.wav", "text": "\\ud800", "speaker": "s"}', "line 2"),
        ("[1, 2]", "line 2"),
        ("null", "line 2"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "line 2"),
        ('{"id": "bad", "text": "a\0b"}', "line 2"),
    ],
)
def test_a_bad_line_is_a_drop_that_names_file_and_line(tmp_path: Path, line: str, told: str) -> None:
    put(tmp_path / "manifest.jsonl", "\n".join([row(), line, "  ", row(id="c")]))
    found = find_clips([tmp_path])
    assert sorted(texts(found)) == ["a", "c"]
    (drop,) = found.drops
    assert "manifest.jsonl, line 2: " in drop.value
    assert told in drop.value
    assert len(drop.value) < 700
    if '"bad"' in line and "\0" not in line:
        assert drop.id == "bad"


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\u0085", "\f", "\v", "\r", "\x1c", "\t"])
def test_only_a_line_feed_ends_a_line(tmp_path: Path, mark: str) -> None:
    line = row(text="one two").replace("one two", f"one{mark}two")
    put(tmp_path / "manifest.jsonl", f"{line}\r\n{row(id='b')}\r\n")
    found = find_clips([tmp_path])
    assert found.drops == []
    assert texts(found)["a"].split() == ["one", "two"]
    assert sorted(texts(found)) == ["a", "b"]
    put(tmp_path / "lj" / "metadata.csv", f"a|one{mark}two\nb|three\n")
    put(tmp_path / "lj" / "wavs" / "a.wav")
    put(tmp_path / "lj" / "wavs" / "b.wav")
    assert sorted(texts(find_clips([tmp_path / "lj"]))) == ["a", "b"]


def test_optional_fields_may_be_null_or_unknown(tmp_path: Path) -> None:
    put(tmp_path / "manifest.jsonl", row(license=None, reader=None, source="", mood="gay", snr_db=3))
    (only,) = find_clips([tmp_path]).clips
    assert (only.license, only.reader, only.collection, only.snr_db) == ("unknown", None, tmp_path.name, 3)


# --- names of recordings ---------------------------------------------------------------------------------------


def test_paths_and_suffixes_are_found_however_they_are_written(tmp_path: Path) -> None:
    wavs = tmp_path / "wavs"
    for name in ("a.wav", "B.WAV", "c.Flac", "d.wav", "e.wav", "sub/f.wav", "g.1.wav"):
        put(wavs / name)
    rows = ["./wavs/a.wav", "B", "c", str(wavs / "d.wav"), "wavs/e", "sub/f.wav", "g.1"]
    put(tmp_path / "metadata.csv", "".join(f"{name}|text of {name[-1]}\n" for name in rows))
    found = find_clips([tmp_path])
    assert found.drops == []
    assert sorted(texts(found)) == ["B", "a", "c", "d", "e", "g_1", "sub_f"]
    assert all(Path(r.audio).is_file() for r in found.clips)


def test_upper_case_suffixes_in_every_kind_of_tree(tmp_path: Path) -> None:
    put(tmp_path / "p" / "ann" / "X.WAV")
    put(tmp_path / "p" / "ann" / "X.TXT", "words")
    put(tmp_path / "p" / "84" / "1" / "84-1.trans.txt", "84-1-0 MORE\n")
    put(tmp_path / "p" / "84" / "1" / "84-1-0.FLAC")
    assert texts(find_clips([tmp_path / "p"])) == {"84-1-0": "MORE", "ann_X": "words"}
    put(tmp_path / "m" / "wav" / "A.WAV")
    put(tmp_path / "m" / "manifest.jsonl", row(audio="wav/A.wav"))
    (only,) = find_clips([tmp_path / "m"]).clips
    assert Path(only.audio).name == "A.WAV"


def test_a_table_without_wavs_is_used_where_its_recordings_are_there(tmp_path: Path) -> None:
    put(tmp_path / "x" / "metadata.csv", "clips/a.wav|one\n")
    put(tmp_path / "x" / "clips" / "a.wav")
    put(tmp_path / "y" / "metadata.csv", "name,size\nfoo,3\n")
    put(tmp_path / "y" / "b.wav")
    put(tmp_path / "y" / "b.txt", "two")
    found = find_clips([tmp_path])
    assert texts(found) == {"clips_a": "one", "y_b": "two"}
    assert any("y/metadata.csv" in line and "not used" in line for line in found.notes)


def test_two_trees_that_share_ids_are_told_apart(tmp_path: Path) -> None:
    for tree in ("one", "two"):
        put(tmp_path / tree / "manifest.jsonl", "\n".join([row(), row(id=tree, audio="b.wav")]))
    both = find_clips([tmp_path / "one", tmp_path / "two"])
    again = find_clips([tmp_path / "two", tmp_path / "one"])
    assert sorted(texts(both)) == ["one", "one_a", "two", "two_a"]
    assert [(r.id, r.audio) for r in both.clips] == [(r.id, r.audio) for r in again.clips]
    for place in ("x", "y"):
        put(tmp_path / place / "data" / "manifest.jsonl", row())
    assert sorted(texts(find_clips([tmp_path / "x" / "data", tmp_path / "y" / "data"]))) == [
        "x_data_a",
        "y_data_a",
    ]


def test_names_that_give_one_key_stay_apart(tmp_path: Path) -> None:
    put(tmp_path / "t" / "manifest.jsonl", "\n".join(row(id=i, text=i) for i in ("a.1", "a_1", "a 1", "b")))
    found = find_clips([tmp_path / "t"])
    assert sorted(texts(found).values()) == ["a 1", "a.1", "a_1", "b"]
    assert len(texts(found)) == 4


def test_the_same_id_or_file_twice_counts_once(tmp_path: Path) -> None:
    put(tmp_path / "t" / "manifest.jsonl", "\n".join([row(), row(text="again"), row(id="b", audio="b.wav")]))
    put(tmp_path / "t" / "sub" / "b.txt", "words")
    found = find_clips([tmp_path / "t"])
    assert texts(found) == {"a": "some words", "b": "some words"}
    assert reasons(found) == {"a": "listed twice"}
    put(tmp_path / "u" / "c" / "x.wav")
    put(tmp_path / "u" / "c" / "x.txt", "words")
    found = find_clips([tmp_path / "u", tmp_path / "u" / "c"])
    assert texts(found) == {"c_x": "words"}
    assert reasons(found) == {"x": "listed twice"}


# --- columns ---------------------------------------------------------------------------------------------------


def table(folder: Path, *rows: str) -> Path:
    put(folder / "metadata.csv", "\n".join(rows))
    for line in rows:
        put(folder / "wavs" / f"{line.split('|')[0]}.wav")
    return folder


def test_speakers_in_a_second_column_are_not_merged(tmp_path: Path) -> None:
    folder = table(tmp_path, "a|ann|Hello there you.", "b|bob|Good morning all.", "c|ann|With a | in it.")
    found = find_clips([folder])
    assert {r.id: (r.speaker, r.text) for r in found.clips} == {
        "a": ("ann", "Hello there you."),
        "b": ("bob", "Good morning all."),
        "c": ("ann", "With a | in it."),
    }
    assert any("metadata.csv: columns taken as id, speaker, text" in line for line in found.notes)


def test_speakers_in_a_third_column(tmp_path: Path) -> None:
    found = find_clips([table(tmp_path, "a|Hello there you.|ann", "b|Good morning all.|bob")])
    assert {r.id: (r.speaker, r.text) for r in found.clips} == {
        "a": ("ann", "Hello there you."),
        "b": ("bob", "Good morning all."),
    }


def test_a_normalised_text_is_told_from_a_speaker(tmp_path: Path) -> None:
    found = find_clips([table(tmp_path / "lj", "a|In 1903 he came.|In nineteen oh three he came.", "b|Yes.|Yes.")])
    assert texts(found) == {"a": "In nineteen oh three he came.", "b": "Yes."}
    assert {r.speaker for r in found.clips} == {"lj"}
    assert any("columns taken as id, text, normalized" in line for line in found.notes)


def test_a_first_row_of_names_says_what_the_columns_are(tmp_path: Path) -> None:
    put(tmp_path / "metadata.csv", "audio_file|text|speaker_name\na|two words|ann\n")
    put(tmp_path / "wavs" / "a.wav")
    (only,) = find_clips([tmp_path]).clips
    assert (only.text, only.speaker) == ("two words", "ann")


def test_columns_that_are_not_clear_are_refused_and_can_be_given(tmp_path: Path) -> None:
    folder = table(tmp_path, "a|one thing|another thing|more", "b|this and|that or|those")
    with pytest.raises(ShardError, match=r"metadata\.csv: the rows do not show what the columns are .*--columns"):
        find_clips([folder])
    found = find_clips([folder], parse_columns("id,-,text,speaker"))
    assert {r.id: (r.speaker, r.text) for r in found.clips} == {
        "a": ("more", "another thing"),
        "b": ("those", "that or"),
    }
    for wrong in ("id", "text", "id,text,mood", "id,text,text", ""):
        with pytest.raises(ShardError, match="--columns"):
            parse_columns(wrong)


def test_a_pipe_in_a_text_is_kept(tmp_path: Path) -> None:
    rows = ["a|plain", "b|either|or", 'c|"quoted | with ""marks"""', 'd|"Yes," he said.', "e|more", "f|and more"]
    assert texts(find_clips([table(tmp_path / "two", *rows)])) == {
        "a": "plain",
        "b": "either|or",
        "c": 'quoted | with "marks"',
        "d": '"Yes," he said.',
        "e": "more",
        "f": "and more",
    }
    rows = ["a|One 1.|One one.", "b|this | 2|this | two", 'c|"a | 3"|"a | three"']
    assert texts(find_clips([table(tmp_path / "three", *rows)])) == {
        "a": "One one.",
        "b": "this | two",
        "c": "a | three",
    }


def test_lines_of_spaces_are_ignored(tmp_path: Path) -> None:
    folder = table(tmp_path, "a|one", "b|two")
    put(folder / "metadata.csv", "   \na|one\n\t\n \u00a0 \nb|two\n\n")
    found = find_clips([folder])
    assert (sorted(texts(found)), found.drops) == (["a", "b"], [])


# --- odd files -------------------------------------------------------------------------------------------------


def test_odd_files_are_drops_with_reasons(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    put(folder / "good.wav")
    put(folder / "good.txt", "words")
    (folder / "dangling.wav").symlink_to(tmp_path / "gone")
    (folder / "folder.wav").mkdir()
    os.mkfifo(folder / "pipe.wav")
    for name in ("text-is-folder", "text-is-pipe", "text-is-gone"):
        put(folder / f"{name}.wav")
    (folder / "text-is-folder.txt").mkdir()
    os.mkfifo(folder / "text-is-pipe.txt")
    (folder / "text-is-gone.txt").symlink_to(tmp_path / "gone")
    put(folder / "new\nline.wav")
    put(folder / "tab\t.wav")
    put(Path(os.fsdecode(os.fsencode(folder) + b"/latin-\xe9.wav")))
    put(folder / "long.wav")
    put(folder / "long.txt", b"x" * 3_000_000)
    found = find_clips([folder])
    assert texts(found) == {"good": "words"}
    assert reasons(found) == {
        "dangling.wav": "no file",
        "folder.wav": "no file",
        "pipe.wav": "no file",
        "text-is-folder": "text not read",
        "text-is-pipe": "text not read",
        "text-is-gone": "text not read",
        "new\\nline.wav": "name not allowed",
        "tab\\t.wav": "name not allowed",
        "latin-\\udce9.wav": "name not allowed",
        "long": "text not read",
    }


@pytest.mark.parametrize("name", ["manifest.jsonl", "metadata.csv"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "link"])
def test_a_list_that_is_no_file_is_told_and_the_rest_goes_on(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / "bad" / "wavs").mkdir(parents=True)
    path = tmp_path / "bad" / name
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / "gone")
    put(tmp_path / "bad" / "wavs" / "a.wav")
    put(tmp_path / "ok" / "manifest.jsonl", row())
    found = find_clips([tmp_path / "bad", tmp_path / "ok"])
    assert texts(found)["a"] == "some words"
    if kind != "folder" or name == "manifest.jsonl":
        assert any(name in drop.id for drop in found.drops)


def test_folders_that_cannot_be_read_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "shut" / "x.wav")
    put(tmp_path / "open" / "y.wav")
    put(tmp_path / "open" / "y.txt", "words")
    scandir = os.scandir

    def forbidding(path: Any) -> Any:
        if os.fspath(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidding)
    found = find_clips([tmp_path])
    assert texts(found) == {"open_y": "words"}
    assert reasons(found) == {"shut": "folder not read"}


def test_linked_folders_are_entered_once(tmp_path: Path) -> None:
    put(tmp_path / "far" / "x.wav")
    put(tmp_path / "far" / "x.txt", "words")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "near").symlink_to(tmp_path / "far")
    (tmp_path / "far" / "loop").symlink_to(tmp_path / "far")
    assert texts(find_clips([tmp_path / "in"])) == {"near_x": "words"}


def test_the_current_folder_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "corpus" / "x.wav")
    put(tmp_path / "corpus" / "x.txt", "words")
    monkeypatch.chdir(tmp_path / "corpus")
    (only,) = find_clips([Path()]).clips
    assert (only.id, only.speaker, only.collection) == ("x", "corpus", "corpus")


def test_names_that_no_folder_can_have_are_refused() -> None:
    for name in ("nul\0", "x" * 400, "new\nline", "latin-\udce9"):
        with pytest.raises(ShardError, match="no such folder"):
            find_clips([Path(name)])
