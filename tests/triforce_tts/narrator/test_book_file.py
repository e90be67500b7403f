"""Finished files, read by a library and by a reader of MP4 atoms that shares nothing with the writer."""

import io
import struct
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from tests.triforce_tts.narrator.conftest import MakePlan, tones
from triforce_tts.books.chapters import About, Block, Chapter, ChapterBook
from triforce_tts.errors import AudioError, ConfigError, TriforceError
from triforce_tts.narrator import book_file
from triforce_tts.narrator.book_file import FORMATS, Content, Written, cut_title, file_rate, require_format, write_book
from triforce_tts.narrator.cover import Cover, book_cover, picture, read_cover
from triforce_tts.narrator.master import PROFILES, Level, Profile
from triforce_tts.narrator.subtitles import write_subtitles
from triforce_tts.narrator.timeline import lay_out, sound

TAGS = {"title": "Título", "album": "Título", "artist": "Á. Uthor", "composer": "Nárrator", "genre": "Audiobook"}


def silent(event: str, done: float, total: float, time: int = 1) -> None:
    pass


def jpeg(codec: str = "mjpeg", pixels: str = "yuvj420p", container_format: str = "image2pipe") -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=1)
        stream.width, stream.height, stream.pix_fmt = 32, 16, pixels
        frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), 99, np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def many(count: int) -> ChapterBook:
    chapters = tuple(
        Chapter(f"Kapitel {n}: 日本 é", (Block("paragraph", f"Number {n}.", pieces=(n - 1,)),))
        for n in range(1, count + 1)
    )
    return ChapterBook(About("A book"), chapters, (), tuple(f"Number {n}." for n in range(1, count + 1)))


def write(
    path: Path, plan_of: MakePlan, source: Path | ChapterBook, profile: Profile = PROFILES["none"],
    cover: Cover | None = None, seconds: float = 0.6,
) -> tuple[Written, Content]:  # fmt: skip
    plan = plan_of(source)
    lines, records = tones(plan, seconds)
    rate = file_rate(path.suffix, 16_000, profile)
    timeline = lay_out(plan.chosen, records, rate, profile.head_s, profile.tail_s)
    content = Content(timeline, lines, TAGS, cover)
    return write_book(path, content, profile, silent), content


def chapters(path: Path) -> list[tuple[float, float, str]]:
    with av.open(str(path)) as container:
        return [
            (float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"]), c["metadata"]["title"])
            for c in container.chapters()
        ]


def atoms(data: bytes, *path: bytes) -> list[bytes]:
    """The contents of the atoms at ``path``."""
    if not path:
        return [data]
    at, found = 0, []
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        size = size or len(data) - at
        if kind == path[0]:
            inner = data[at + 8 : at + size]
            found += atoms(inner[4:] if kind == b"meta" else inner, *path[1:])
        at += size
    return found


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_every_format_has_its_length_chapters_and_tags(
    suffix: str, plan_of: MakePlan, story: Path, tmp_path: Path
) -> None:
    cover = picture(jpeg())
    path = tmp_path / f"book{suffix}"
    written, content = write(path, plan_of, story, cover=cover)
    timeline = content.timeline
    assert written.loudness.seconds == pytest.approx(timeline.seconds, abs=0.13)
    with av.open(str(path)) as container:
        tags = {**container.streams.audio[0].metadata, **container.metadata}
        pictures = [s for s in container.streams.video if s.disposition & av.stream.Disposition.attached_pic]
        assert len(pictures) == FORMATS[suffix].has_cover
    tags = {name.lower(): value for name, value in tags.items()}
    assert (tags["title"], tags["artist"]) == ("Título", "Á. Uthor")
    if FORMATS[suffix].most_chapters:
        found = chapters(path)
        assert [title for *_, title in found] == [part.title for part in timeline.parts]
        assert [start for start, *_ in found] == pytest.approx([p.start / 16_000 for p in timeline.parts], abs=0.01)
        assert written.chapters == len(timeline.parts) == 3
    before = path.read_bytes()
    write_book(path, content, PROFILES["none"], silent)
    assert path.read_bytes() == before


def test_the_atoms_of_an_m4b(plan_of: MakePlan, story: Path, tmp_path: Path) -> None:
    path = tmp_path / "book.m4b"
    cover = picture(jpeg())
    _, content = write(path, plan_of, story, cover=cover)
    data = path.read_bytes()
    assert data[4:12] == b"ftypM4B "
    assert data.find(b"moov") < data.find(b"mdat")  # players can start before they have all of it
    listed = atoms(data, b"moov", b"udta", b"meta", b"ilst")[0]
    assert atoms(listed, b"\xa9nam", b"data")[0][8:].decode() == "Título"
    assert atoms(listed, b"\xa9wrt", b"data")[0][8:].decode() == "Nárrator"
    assert cover is not None
    assert atoms(listed, b"covr", b"data")[0][8:] == cover.data
    (chpl,) = atoms(data, b"moov", b"udta", b"chpl")
    assert chpl[8] == 3
    assert struct.unpack_from(">I", atoms(data, b"moov", b"mvhd")[0], 16)[0] == round(content.timeline.seconds * 1000)


def listed_chapters(data: bytes) -> list[tuple[float, str]]:
    """The start in seconds and the title of each chapter of an MP4 file, by its QuickTime text track, read atom by atom."""
    tracks = atoms(data, b"moov", b"trak")
    (wanted,) = {struct.unpack(">I", chap)[0] for track in tracks for chap in atoms(track, b"tref", b"chap")}
    (text,) = [track for track in tracks if struct.unpack_from(">I", atoms(track, b"tkhd")[0], 12)[0] == wanted]
    (scale,) = struct.unpack_from(">I", atoms(text, b"mdia", b"mdhd")[0], 12)
    table = {
        name: atoms(text, b"mdia", b"minf", b"stbl", name) for name in (b"stts", b"stsz", b"stsc", b"stco", b"co64")
    }
    (entries,) = struct.unpack_from(">I", table[b"stts"][0], 4)
    times = [struct.unpack_from(">II", table[b"stts"][0], 8 + 8 * n) for n in range(entries)]
    durations = [duration for count, duration in times for _ in range(count)]
    same, count = struct.unpack_from(">II", table[b"stsz"][0], 4)
    sizes = [same or struct.unpack_from(">I", table[b"stsz"][0], 12 + 4 * n)[0] for n in range(count)]
    chunks = (table[b"stco"] or table[b"co64"])[0]
    width = ">I" if table[b"stco"] else ">Q"
    offsets = [
        struct.unpack_from(width, chunks, 8 + struct.calcsize(width) * n)[0]
        for n in range(struct.unpack_from(">I", chunks, 4)[0])
    ]
    firsts = [
        struct.unpack_from(">III", table[b"stsc"][0], 8 + 12 * n)[:2]
        for n in range(struct.unpack_from(">I", table[b"stsc"][0], 4)[0])
    ]
    found, sample, start = [], 0, 0
    for number, offset in enumerate(offsets, 1):
        (samples,) = [held for first, held in firsts if first <= number][-1:]
        for _ in range(samples):
            (length,) = struct.unpack_from(">H", data, offset)
            found.append((start / scale, data[offset + 2 : offset + 2 + length].decode()))
            offset, start, sample = offset + sizes[sample], start + durations[sample], sample + 1
    assert sample == count == len(durations)
    return found


@pytest.mark.parametrize("count", [3, 300])
def test_chapters_with_titles_of_other_scripts_for_two_readers(count: int, plan_of: MakePlan, tmp_path: Path) -> None:
    path = tmp_path / "book.m4b"
    written, content = write(path, plan_of, many(count), seconds=0.05)
    assert written.chapters == count
    wanted = [(part.start / 16_000, part.title) for part in content.timeline.parts]
    assert wanted[-1][1] == f"Kapitel {count}: 日本 é"
    data = path.read_bytes()
    for found in ([(start, title) for start, _, title in chapters(path)], listed_chapters(data)):
        assert [title for _, title in found] == [title for _, title in wanted]
        assert [start for start, _ in found] == pytest.approx([start for start, _ in wanted], abs=0.01)
    assert (b"chpl" in data) == (count <= 255)  # Nero's list cannot hold more chapters.


def test_a_format_that_holds_fewer_chapters_is_refused(plan_of: MakePlan, tmp_path: Path) -> None:
    with pytest.raises(TriforceError, match=r"1001 chapters, a \.opus file holds at most 1000"):
        write(tmp_path / "book.opus", plan_of, many(1001), seconds=0.01)


def test_long_titles_are_cut_between_characters() -> None:
    assert cut_title("日" * 100) == "日" * 85
    assert cut_title("short") == "short"


@pytest.mark.parametrize("name", ["podcast", "acx"])
def test_a_profile_is_met_by_the_finished_file(name: str, plan_of: MakePlan, story: Path, tmp_path: Path) -> None:
    path = tmp_path / "book.mp3"
    written, _ = write(path, plan_of, story, PROFILES[name])
    assert [result.name for result in written.results if not result.passed] == []
    assert written.loudness.sample_rate == (44_100 if name == "acx" else 16_000)
    with av.open(str(path)) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    level = 20 * np.log10(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    assert level == pytest.approx(written.loudness.rms_db, abs=0.01)
    profile, rate = PROFILES[name], written.loudness.sample_rate
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    assert loud[0] / rate == pytest.approx(profile.head_s, abs=0.05)
    assert (len(samples) - loud[-1]) / rate == pytest.approx(profile.tail_s, abs=0.06)
    if name == "acx":
        assert -23 <= level <= -18
        with av.open(str(path)) as container:
            assert {packet.size for packet in list(container.demux(audio=0))[2:-2]} <= {
                626,
                627,
            }  # 192 kbit/s, constant


def test_what_a_profile_cannot_have_is_reported(plan_of: MakePlan, story: Path, tmp_path: Path) -> None:
    written, _ = write(tmp_path / "book.m4b", plan_of, story, PROFILES["acx"])
    assert {result.name for result in written.results if not result.passed} == {"format", "bit rate"}


def test_a_file_that_lost_its_end_is_not_put_in_place(
    plan_of: MakePlan, story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "book.wav"
    path.write_bytes(b"the old file")

    def cut(timeline: object, lines: object, level: object) -> object:
        return list(sound(timeline, lines, level))[:-3]  # type: ignore[arg-type]

    monkeypatch.setattr(book_file, "sound", cut)
    with pytest.raises(AudioError, match="were read back, expected"):
        write(path, plan_of, story)
    assert path.read_bytes() == b"the old file"
    assert [p.name for p in tmp_path.iterdir() if ".tmp" in p.name] == []


def test_an_unknown_format() -> None:
    with pytest.raises(TriforceError, match=r"cannot write '.xyz'.*\.m4b"):
        require_format(Path("book.xyz"), None, False)
    with pytest.raises(TriforceError, match=r"--format mp3: expected one of .*\.mp3"):
        require_format(Path("book"), "mp3", True)
    require_format(Path("book"), ".flac", True)


@pytest.mark.parametrize("asked", [".flac", ".mp3", ".m4b"])
def test_a_format_for_the_files_of_a_folder_is_never_ignored(asked: str) -> None:
    with pytest.raises(ConfigError, match=rf"--format {asked}: .* the output is the file book\.m4b"):
        require_format(Path("book.m4b"), asked, False)


def test_pictures_that_are_none(tmp_path: Path) -> None:
    svg = tmp_path / "cover.svg"
    svg.write_text("<svg/>")
    for about, remark in ((About(cover="cover.svg"), "no JPEG, PNG"), (About(cover="../x.jpg"), "no JPEG, PNG")):
        cover, said = book_cover(tmp_path / "book.md", about)
        assert cover is None
        assert remark in said
    assert book_cover(tmp_path / "book.md", About()) == (None, "")
    (tmp_path / "cover.png").write_bytes(jpeg("png", "rgb24"))
    cover, said = book_cover(tmp_path / "book.md", About(cover="cover.png"))
    assert cover is not None
    assert (cover.codec, cover.width, cover.height, said) == ("png", 32, 16, "")
    assert picture(jpeg()[:20]) is None


@pytest.mark.parametrize(("codec", "pixels", "form"), [("libwebp", "yuv420p", "webp"), ("gif", "rgb8", "gif")])
def test_a_picture_that_sound_files_cannot_hold_becomes_jpeg(
    codec: str, pixels: str, form: str, tmp_path: Path
) -> None:
    path = tmp_path / "cover"
    path.write_bytes(jpeg(codec, pixels, form))
    cover = read_cover(path)
    assert (cover.codec, cover.width, cover.height, cover.media_type) == ("mjpeg", 32, 16, "image/jpeg")
    with av.open(io.BytesIO(cover.data)) as container:
        seen = next(container.decode(video=0)).reformat(format="rgb24").to_ndarray()
    assert abs(int(seen[8, 16].mean()) - 99) < 10
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(TriforceError, match="damaged, moves, or has more than"):
        read_cover(path)


@pytest.mark.parametrize(("codec", "pixels"), [("mjpeg", "yuvj420p"), ("png", "rgb24")])
def test_a_picture_that_is_cut_off_is_told_from_a_whole_one(codec: str, pixels: str, tmp_path: Path) -> None:
    whole, path = jpeg(codec, pixels), tmp_path / "cover.jpg"
    for data in (whole, whole + b"\xff\xda behind the end"):
        path.write_bytes(data)
        assert read_cover(path).data == data
    if codec == "mjpeg":  # a small picture within the picture has an end of its own
        inner = b"\xff\xd8\xff\xda..\xff\xd9"
        whole = whole[:2] + b"\xff\xe1" + (2 + len(inner)).to_bytes(2, "big") + inner + whole[2:]
        path.write_bytes(whole)
        assert read_cover(path).width == 32
    path.write_bytes(whole[:-3])
    with pytest.raises(TriforceError, match="damaged or cut off; save it anew"):
        read_cover(path)
    cover, said = book_cover(tmp_path / "book.md", About(cover="cover.jpg"))
    assert cover is not None
    assert (
        said == "the cover 'cover.jpg' is damaged or cut off, and is used all the same; give a whole one with --cover"
    )


@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
def test_subtitles_have_the_times_of_the_lines(suffix: str, plan_of: MakePlan, story: Path, tmp_path: Path) -> None:
    _, content = write(tmp_path / "book.wav", plan_of, story)
    path = tmp_path / f"book{suffix}"
    write_subtitles(path, content.timeline)
    text = path.read_text()
    placed = content.timeline.parts[0].lines[1]
    mark = "," if suffix == ".srt" else "."
    assert f"2\n00:00:{placed.start / 16_000:06.3f}".replace(".", mark) in text
    assert "Mr. Green walked out in 1884." in text
    assert text.startswith("WEBVTT\n\n1\n" if suffix == ".vtt" else "1\n")


def test_subtitles_show_the_written_part_of_each_line_of_a_divided_sentence(plan_of: MakePlan, tmp_path: Path) -> None:
    sentence = f"In 1884 {', '.join(f'the grey fox number {n} ran over the hill' for n in range(2, 12))}."
    source = tmp_path / "long.txt"
    source.write_text(sentence + "\n")
    _, content = write(tmp_path / "book.wav", plan_of, source)
    write_subtitles(tmp_path / "book.srt", content.timeline)
    cues = [block.splitlines()[2:] for block in (tmp_path / "book.srt").read_text().split("\n\n")]
    texts = [text for lines in cues for text in lines]
    assert len(texts) == len(content.timeline.parts[0].lines) > 2
    assert " ".join(texts) == sentence


def test_a_file_that_is_written_again_for_its_level_says_so(
    plan_of: MakePlan, story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: set[tuple[str, int]] = set()
    better = iter([Level(1.0), None])
    monkeypatch.setattr(book_file, "next_level", lambda *_: next(better))
    plan = plan_of(story)
    lines, records = tones(plan, 0.6)
    content = Content(lay_out(plan.chosen, records, 16_000), lines, TAGS)
    write_book(tmp_path / "b.wav", content, PROFILES["none"], lambda event, *_, time=1: told.add((event, time)))
    assert told == {("encode", 1), ("verify", 1), ("encode", 2), ("verify", 2)}


@pytest.mark.parametrize("suffix", [suffix for suffix, form in FORMATS.items() if form.most_chapters])
def test_chapters_begin_when_they_should_in_any_part_of_a_second(
    suffix: str, plan_of: MakePlan, story: Path, tmp_path: Path
) -> None:
    """FFmpeg rounds the seconds of a chapter in Ogg, and adds the milliseconds to them."""
    for tail_s in (0.0, 0.3, 0.7):
        _, content = write(tmp_path / f"b{suffix}", plan_of, story, Profile("x", head_s=0.1, tail_s=tail_s))
        starts = [part.start / content.timeline.sample_rate for part in content.timeline.parts]
        assert [start for start, *_ in chapters(tmp_path / f"b{suffix}")] == pytest.approx(starts, abs=0.002)


def test_a_file_whose_chapters_begin_elsewhere_is_not_put_in_place(
    plan_of: MakePlan, story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book_file, "_clock", lambda seconds: f"00:00:{seconds + 0.5:06.3f}")
    with pytest.raises(AudioError, match="has not the chapters that were written"):
        write(tmp_path / "b.flac", plan_of, story)
    assert not (tmp_path / "b.flac").exists()


def test_an_opus_file_has_the_bytes_of_the_cover(plan_of: MakePlan, story: Path, tmp_path: Path) -> None:
    """In a comment, as FLAC has it; a large one fills many pages of Ogg."""
    small = picture(jpeg())
    assert small is not None
    large = replace(small, data=small.data + bytes(300_000))
    for cover in (small, large):
        write(tmp_path / "b.opus", plan_of, story, cover=cover)
        with av.open(str(tmp_path / "b.opus")) as container:
            (shown,) = container.streams.video
            assert (shown.width, shown.height) == (32, 16)
            assert bytes(next(container.demux(shown))) == cover.data
