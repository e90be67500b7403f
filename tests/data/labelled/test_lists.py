"""Lists of clips in the forms of other programs, written by hand from their documentation."""

import json
from pathlib import Path

import pytest

from triforce_tts.data.common.clips import Inventory
from triforce_tts.data.labelled.labels import find_clips


def put(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def said(found: Inventory) -> dict[str, tuple[str, str]]:
    """The speaker and the text of each clip by the name of its file."""
    return {Path(clip.audio).name: (clip.speaker, clip.text) for clip in found.clips}


QUOTED = 'He said "no", and left.'


@pytest.mark.parametrize(
    "rows",
    [
        'file_name,transcription\na.wav,"He said ""no"", and left."\nb.wav,Two\n',
        'path;text\na.wav;"He said ""no"", and left."\nb.wav;Two\n',
        "a\tHe said \"no\", and left.\nb\tTwo\n",
        "wav_filename,wav_filesize,transcript\na.wav,5,He said \"no\", and left.\nb.wav,7,Two\n",
        'text\tfile\nHe said "no", and left.\ta.wav\nTwo\tb.wav\n',
        'a.wav|He said "no", and left.\nb.wav|Two\n',
        'Audio File,Utterance\na.wav,"He said ""no"", and left."\nb.wav,Two\n',
        'id,File-Name,raw_text,text\n7,a.wav,x,"He said ""no"", and left."\n8,b.wav,y,Two\n',
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["metadata.csv", "train.txt", "list.tsv"])
def test_columns_may_be_separated_otherwise(rows: str, name: str, tmp_path: Path) -> None:
    for clip in ("a.wav", "b.wav"):
        put(tmp_path / "corpus" / "wavs" / clip)
    put(tmp_path / "corpus" / name, "\ufeff" + rows.replace("\n", "\r\n"))
    found = find_clips([tmp_path / "corpus"])
    assert said(found) == {"a.wav": ("corpus", QUOTED), "b.wav": ("corpus", "Two")}
    assert not found.drops


def test_prose_beside_recordings_is_no_table(tmp_path: Path) -> None:
    put(tmp_path / "a.wav")
    put(tmp_path / "a.txt", "text, a\n")
    put(tmp_path / "notes.txt", "a, b and c\na | b\n")
    put(tmp_path / "more.csv", "x,y\na,b\n")
    assert said(find_clips([tmp_path])) == {"a.wav": (tmp_path.name, "text, a")}


COMMON_VOICE = "client_id\tpath\tsentence_id\tsentence\tlocale\n"


def test_common_voice_is_read_from_its_approved_list(tmp_path: Path) -> None:
    en = tmp_path / "cv-corpus" / "en"
    for number in range(4):
        put(en / "clips" / f"c_{number}.mp3")
    row = 's{0}\tc_{0}.mp3\tx\tText {0}, "quoted\n" or not\ten\n'.replace('\n"', '"')
    put(en / "validated.tsv", COMMON_VOICE + row.format(0) + row.format(1))
    put(en / "train.tsv", COMMON_VOICE + row.format(0))
    put(en / "other.tsv", COMMON_VOICE + row.format(2))
    put(en / "invalidated.tsv", COMMON_VOICE + row.format(3))
    found = find_clips([tmp_path])
    texts = {clip.audio[-7:]: clip.text for clip in found.clips if clip.text}
    assert texts == {"c_0.mp3": 'Text 0, "quoted" or not', "c_1.mp3": 'Text 1, "quoted" or not'}
    assert {clip.speaker for clip in found.clips if clip.text} == {"s0", "s1"}
    assert not found.drops


def test_a_second_list_of_the_same_clips_is_told_once(tmp_path: Path) -> None:
    put(tmp_path / "wavs" / "a.wav")
    put(tmp_path / "wavs" / "b.wav")
    put(tmp_path / "metadata.csv", "a|One|One\nb|Two|Two\n")
    put(tmp_path / "filelists" / "train.txt", "../wavs/a.wav|uno\n")
    found = find_clips([tmp_path])
    assert {text for _, text in said(found).values()} == {"One", "Two"}
    assert len(found.clips) == 2
    assert not found.drops
    assert any("train.txt: not used; the recordings that it names have their own texts" in n for n in found.notes)


def test_lists_that_overlap_give_each_recording_once(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        put(tmp_path / "wavs" / f"{name}.wav")
    put(tmp_path / "few.txt", "a|One.\n")
    put(tmp_path / "most.txt", "a|One.\nb|Two.\n")
    put(tmp_path / "some.jsonl", '{"audio_filepath": "wavs/b.wav", "text": "Two."}\n')
    found = find_clips([tmp_path])
    assert {name: text for name, (_, text) in said(found).items()} == {"a.wav": "One.", "b.wav": "Two.", "c.wav": ""}
    assert sum("1 recording of another list too" in note for note in found.notes) == 2


@pytest.mark.parametrize(
    "facts", ["a\t1.5\nb\t2.5\n", "a|1.5|20.1\nb|2.5|21.2\n", "file,text\na.wav,happy\nb.wav,sad\n"]
)
@pytest.mark.parametrize("form", ["pairs", "table"])
def test_tables_of_other_things_change_no_text(facts: str, form: str, tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    for name in ("a", "b"):
        put(folder / "wavs" / f"{name}.wav")
        if form == "pairs":
            put(folder / "wavs" / f"{name}.txt", f"Text of {name}.")
    if form == "table":
        put(folder / "metadata.csv", "a|Text of a.\nb|Text of b.\n")
    put(folder / "facts.csv", facts)
    found = find_clips([folder])
    assert {text for _, text in said(found).values()} == {"Text of a.", "Text of b."}
    assert not found.drops
    assert any("facts.csv: not used" in note for note in found.notes)


def test_clips_that_metadata_leaves_out_are_not_taken_from_a_list_beside_it(tmp_path: Path) -> None:
    for name in ("a", "b"):
        put(tmp_path / "wavs" / f"{name}.wav")
    put(tmp_path / "metadata.csv", "a|Good.|Good.\n")
    put(tmp_path / "bad.csv", "b|Bad.|Bad.\n")
    assert {text for _, text in said(find_clips([tmp_path])).values()} == {"Good.", ""}


def test_tables_of_libritts_change_no_reader(tmp_path: Path) -> None:
    chapter = tmp_path / "LibriTTS" / "dev-clean" / "84" / "121123"
    name = "84_121123_000007_000001"
    put(chapter / f"{name}.wav")
    put(chapter / f"{name}.normalized.txt", "Go on.")
    put(chapter / "84_121123.trans.tsv", f"{name}\tGo on.\tGo on.\n")
    put(chapter / "84_121123.book.tsv", f"{name}\tGo on.\tGo on.\t1.5\t3.4\t20.1\n")
    found = find_clips([tmp_path / "LibriTTS"])
    assert said(found) == {f"{name}.wav": ("84", "Go on.")}
    assert not found.drops and not found.notes


def test_kaldi_changes_no_reader(tmp_path: Path) -> None:
    chapter = tmp_path / "LibriSpeech" / "dev" / "84" / "1"
    put(chapter / "84-1-0000.flac")
    put(chapter / "84-1.trans.txt", "84-1-0000 GO ON\n")
    put(tmp_path / "data" / "wav.scp", "84-1-0000 LibriSpeech/dev/84/1/84-1-0000.flac\n")
    put(tmp_path / "data" / "text", "84-1-0000 GO ON\n")
    put(tmp_path / "data" / "utt2spk", "84-1-0000 84-1\n")
    found = find_clips([tmp_path])
    assert said(found) == {"84-1-0000.flac": ("84", "GO ON")}
    assert not found.drops


def test_kaldi(tmp_path: Path) -> None:
    put(tmp_path / "audio" / "u1.wav")
    put(tmp_path / "audio" / "u2.wav")
    data = tmp_path / "data" / "train"
    put(data / "wav.scp", f"u1 audio/u1.wav\nu2 {tmp_path}/audio/u2.wav\nu3 sox x.flac -t wav - |\nu5 long.wav\n")
    put(data / "text", "u1 one and two\nu2 Three.\nu3 three\nu4 four\nu5 five\n")
    put(data / "utt2spk", "u1 anna\nu2 ben\n")
    put(data / "segments", "u5 r1 0.0 2.0\n")
    found = find_clips([tmp_path])
    assert said(found) == {"u1.wav": ("anna", "one and two"), "u2.wav": ("ben", "Three.")}
    assert {clip.id: clip.punct for clip in found.clips} == {"u1": False, "u2": True}
    reasons = {drop.id: drop.value for drop in found.drops}
    assert reasons.keys() == {"u3", "u4", "u5"}
    assert "a command, which is not run: 'sox" in reasons["u3"]
    assert "no recording of that name" in reasons["u4"]
    assert "a stretch of a longer recording" in reasons["u5"]


def test_vctk(tmp_path: Path) -> None:
    top = tmp_path / "VCTK"
    for name in ("p225_001_mic1.flac", "p225_001_mic2.flac", "p225_002_mic2.flac"):
        put(top / "wav48_silence_trimmed" / "p225" / name)
    put(top / "txt" / "p225" / "p225_001.txt", "Please call Stella.\n")
    put(top / "txt" / "p225" / "p225_002.txt", "Ask her.\n")
    found = find_clips([top])
    assert said(found) == {
        "p225_001_mic1.flac": ("p225", "Please call Stella."),
        "p225_002_mic2.flac": ("p225", "Ask her."),
    }
    assert [drop.reason for drop in found.drops] == ["recorded twice"]


@pytest.mark.parametrize("form", ["audio_filepath", "file_name"])
@pytest.mark.parametrize("name", ["metadata.jsonl", "train_manifest.json", "manifest.jsonl"])
def test_manifests_of_other_programs(form: str, name: str, tmp_path: Path) -> None:
    for clip in ("a", "b", "c", "d"):
        put(tmp_path / "corpus" / "data" / f"{clip}.wav")
    rows = [
        {form: "data/a.wav", "text": "One.", "duration": 1.5, "speaker_id": 7},
        {form: "data/b.wav", "transcription": "two", "speaker": "ben"},
        {form: "data/c.wav", "sentence": "Three."},
        {form: "data/d.wav", "text": "Four.", "offset": 0.0, "duration": 2.0},
        {form: "data/d.wav", "text": "Five.", "offset": 2.0, "duration": 1.0},
    ]
    put(tmp_path / "corpus" / name, "\ufeff" + "\n".join(map(json.dumps, rows)))
    found = find_clips([tmp_path / "corpus"])
    read = {name: clip for name, clip in said(found).items() if clip[1]}
    assert read == {"a.wav": ("7", "One."), "b.wav": ("ben", "two"), "c.wav": ("corpus", "Three.")}
    assert {Path(clip.audio).stem: clip.punct for clip in found.clips if clip.text} == {
        "a": True,
        "b": False,
        "c": True,
    }
    assert [drop.value.count("a stretch of a longer recording") for drop in found.drops] == [1, 1]
    assert any("1 line without a speaker" in note for note in found.notes)


def test_a_field_in_quotation_marks_may_hold_ends_of_lines(tmp_path: Path) -> None:
    for clip in "abcd":
        put(tmp_path / "corpus" / f"{clip}.wav")
    rows = ['"a.wav","One,\ntwo ""and""\n\nthree."', 'b.wav,"Four"', 'c.wav,"five" and six', 'd.wav,"never closed']
    put(tmp_path / "corpus" / "metadata.csv", "\n".join(["file_name,text", *rows]))
    assert {name: " ".join(text.split()) for name, (_, text) in said(find_clips([tmp_path / "corpus"])).items()} == {
        "a.wav": 'One, two "and" three.',
        "b.wav": "Four",
        "c.wav": "five and six",
        "d.wav": "never closed",
    }


def test_a_mark_that_is_never_closed_swallows_no_rows(tmp_path: Path) -> None:
    for clip in "ab":
        put(tmp_path / "corpus" / f"{clip}.wav")
    put(tmp_path / "corpus" / "metadata.csv", 'text,file_name\n"He said,a.wav\nTwo,b.wav\n')
    found = find_clips([tmp_path / "corpus"])
    assert said(found)["b.wav"][1] == "Two"
    assert len(found.drops) == 1


@pytest.mark.parametrize("path", ["/home/ann/corpus/wavs/{}.wav", "C:\\corpus\\wavs\\{}.wav", "wavs\\{}.wav"])
@pytest.mark.parametrize("name", ["train.txt", "metadata.csv", "manifest.jsonl"])
def test_paths_of_another_machine_are_found_by_their_ends(path: str, name: str, tmp_path: Path) -> None:
    texts = {"a": "One.", "b": "Two."}
    for clip in texts:
        put(tmp_path / "corpus" / "wavs" / f"{clip}.wav")
    rows = [(path.format(clip), text) for clip, text in texts.items()]
    lines = [f"{file}|{text}" for file, text in rows]
    if name == "manifest.jsonl":
        lines = [json.dumps({"id": file, "audio": file, "text": text, "speaker": "s"}) for file, text in rows]
    put(tmp_path / "corpus" / name, "\n".join(lines))
    found = find_clips([tmp_path / "corpus"])
    assert {file: text for file, (_, text) in said(found).items()} == {"a.wav": "One.", "b.wav": "Two."}
    assert not found.drops


def test_a_table_without_known_columns_is_named_where_texts_are_missing(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    put(corpus / "a.wav")
    put(corpus / "list.csv", "number,what is said\n1,One.\n")
    assert [note.partition(":")[0] for note in find_clips([corpus]).notes] == [str(corpus / "list.csv")]
    put(corpus / "a.txt", "One.")
    assert not find_clips([corpus]).notes


def test_a_manifest_that_is_one_list_is_one_drop(tmp_path: Path) -> None:
    put(tmp_path / "corpus" / "a.wav")
    put(tmp_path / "corpus" / "manifest.jsonl", json.dumps([{"id": "a", "audio": "a.wav"}, {"id": "b"}], indent=1))
    drops = find_clips([tmp_path / "corpus"]).drops
    assert [drop.reason for drop in drops] == ["list not read"] and "one JSON list" in drops[0].value


@pytest.mark.parametrize(
    "rows",
    [
        ['a.wav,"6 inch', 'b.wav,say "hi', "c.wav,Bye"],
        ['a.wav,"Come here, he said.', 'b.wav,"No," she replied.', 'c.wav,"Go.', 'd.wav,Right."'],
        ['a1,"Come here', 'a2,No."', 'a3,"Go', 'a4,Right."'],
    ],
)
def test_a_mark_that_is_never_closed_takes_no_text_of_another_recording(rows: list[str], tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d", "a1", "a2"):
        put(tmp_path / "corpus" / f"{name}.wav")
    put(tmp_path / "corpus" / "metadata.csv", "\n".join(["file_name,text", *rows]))
    texts = {clip.id: clip.text for clip in find_clips([tmp_path / "corpus"]).clips if clip.text}
    assert len(texts) == len(rows)
    assert not any("\n" in text or "," in text[-5:] for text in texts.values())


def test_a_text_before_its_recording_may_hold_ends_of_lines(tmp_path: Path) -> None:
    for clip in "ab":
        put(tmp_path / "corpus" / f"{clip}.wav")
    put(tmp_path / "corpus" / "metadata.csv", 'text,file_name\n"One,\ntwo,\nthree.",a.wav\nFour,b.wav\n')
    found = find_clips([tmp_path / "corpus"])
    assert {name: text for name, (_, text) in said(found).items()} == {"a.wav": "One,\ntwo,\nthree.", "b.wav": "Four"}


@pytest.mark.parametrize("name", ["train.txt", "metadata.csv", "manifest.jsonl"])
def test_the_end_of_a_path_does_not_count_where_it_may_be_another_recording(name: str, tmp_path: Path) -> None:
    corpus, other = tmp_path / "corpus", tmp_path / "other"
    for file in ("a/1.wav", "2.wav", "3.wav", "4.wav"):
        put(corpus / file)
    put(other / "5.wav")
    texts = {
        "/old/a/1.wav": "It is here.",
        "/old/b/2.wav": "Its folder b is not here.",
        "/older/x/3.wav": "Two have this name.",
        "/older/y/3.wav": "Two have it.",
        f"{other}/4.wav": "Its folder is here, and has no such file.",
        f"{other}/5.wav": "Its folder is here.",
    }
    lines = [f"{file}|{text}" for file, text in texts.items()]
    if name == "manifest.jsonl":
        lines = [json.dumps({"id": file, "audio": file, "text": text, "speaker": "s"}) for file, text in texts.items()]
    put(corpus / name, "\n".join(lines))
    found = find_clips([corpus])
    taken = {clip.audio: clip.text for clip in found.clips if Path(clip.audio).exists() and clip.text}
    assert taken == {str(corpus / "a/1.wav"): "It is here.", f"{other}/5.wav": "Its folder is here."}
    assert any("of 3 lines the path is not here" in note for note in found.notes)


def test_a_relative_path_of_windows_begins_at_its_table(tmp_path: Path) -> None:
    for file in ("lists/wavs/a.wav", "wavs/a.wav"):
        put(tmp_path / "corpus" / file)
    put(tmp_path / "corpus" / "lists" / "train.txt", "..\\..\\corpus\\wavs\\a.wav|One.\n")
    found = find_clips([tmp_path / "corpus"])
    assert [Path(clip.audio).resolve() for clip in found.clips if clip.text] == [
        tmp_path.resolve() / "corpus/wavs/a.wav"
    ]


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (["file_name,text,,", "a.wav,One,,"], "One"),
        (["path,sentence,note,note", "a.wav,One,1,2"], "One"),
        (["path,file_name,text", "sounds,a.wav,One"], "One"),
        (["id|Transcription|Normalized Transcription", "a|Dr. No|Doctor No"], "Doctor No"),
        (["file_name,raw_text,text", "a.wav,Hello, world,Hello world"], ""),  # a comma too many: which text holds it?
        (["file_name,words,duration", "a.wav,5,1"], ""),
        (["file,utterance,emotion", "a.wav,utt_0001,happy"], ""),
        (["file,utterance,emotion", "a.wav,Well then.,happy"], "Well then."),
        (["file|prompt", "a|Yes"], "Yes"),
        (["file|text", "/old/sounds/|Two", "a|One"], "One"),
    ],
)
def test_what_columns_are_taken_for(rows: list[str], text: str, tmp_path: Path) -> None:
    put(tmp_path / "corpus" / "a.wav")
    put(tmp_path / "corpus" / "sounds" / "a.wav")
    put(tmp_path / "corpus" / "metadata.csv", "\n".join(rows))
    found = find_clips([tmp_path / "corpus"])
    assert [clip.text for clip in found.clips if Path(clip.audio) == tmp_path / "corpus" / "a.wav"] == [text]


def test_a_line_that_is_a_list_stops_no_manifest(tmp_path: Path) -> None:
    put(tmp_path / "corpus" / "a.wav")
    row = {"id": "a", "audio": "a.wav", "text": "One.", "speaker": "s"}
    put(tmp_path / "corpus" / "manifest.jsonl", f'["version", 1]\n{json.dumps(row)}\n')
    found = find_clips([tmp_path / "corpus"])
    assert [clip.text for clip in found.clips] == ["One."] and len(found.drops) == 1


def test_of_a_film_and_its_sound_the_sound_counts(tmp_path: Path) -> None:
    for name in ("x.mp4", "x.wav"):
        put(tmp_path / "corpus" / name)
    put(tmp_path / "corpus" / "x.txt", "One.")
    assert list(said(find_clips([tmp_path / "corpus"]))) == ["x.wav"]


def test_a_table_may_be_called_by_the_film_that_its_clips_are_of(tmp_path: Path) -> None:
    for name in ("talk.mp4", "wavs/a.wav"):
        put(tmp_path / "corpus" / name)
    put(tmp_path / "corpus" / "talk.csv", "file_name,text\na.wav,One.\n")
    assert said(find_clips([tmp_path / "corpus"]))["a.wav"][1] == "One."


def test_a_name_may_end_like_a_film(tmp_path: Path) -> None:
    put(tmp_path / "corpus" / "wavs" / "talk.mp4.wav")
    put(tmp_path / "corpus" / "metadata.csv", "talk.mp4|One.\n")
    assert {name: text for name, (_, text) in said(find_clips([tmp_path / "corpus"])).items()} == {
        "talk.mp4.wav": "One."
    }
