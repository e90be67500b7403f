"""Voices of speakers: which parts of a book each of them says, and that a voice is part of a line's sound."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.books import entry, make_epub
from triforce_tts.books.chapters import ChapterBook, ReadOptions
from triforce_tts.books.read import read_chapters
from triforce_tts.errors import ConfigError
from triforce_tts.narrator.cast import CastFile, cast_book, read_cast
from triforce_tts.narrator.plan import Plan, Planner, Speaker, make_plan
from triforce_tts.narrator.selection import choose_chapters

PLAY = (
    '<h2>Act I</h2><table><tr><td/><td><i epub:type="z3998:stage-direction">Enter <b epub:type="z3998:persona">Lane</b>.</i></td></tr>'
    '<tr><td epub:type="z3998:persona">Algernon</td><td>Did you hear? <i epub:type="z3998:stage-direction">Sits down.</i> Well.</td></tr>'
    '<tr><td epub:type="z3998:persona">Lane</td><td><p>No, sir.</p><p>I did not.</p></td></tr></table><p>The curtain falls.</p>'
)
PROSE = """CHAPTER I

"Yes," said Jack, "I am." He laughed.

"Who?" she asked.

CHAPTER II

Jill said, "Me."
"""
Rows = list[tuple[str, str, str]]
MakeCast = Callable[..., CastFile]


@pytest.fixture
def cast_of(tmp_path: Path) -> MakeCast:
    def make(text: str, name: str = "cast.yaml") -> CastFile:
        path = tmp_path / name
        path.write_text(text)
        return read_cast(path)

    return make


@pytest.fixture
def planned(speaker: Speaker) -> Callable[[ChapterBook, CastFile | None], Plan]:
    def make(book: ChapterBook, cast: CastFile | None) -> Plan:
        voices = {voice: f"someone like {voice}" for voice in cast.voices} if cast else {}
        planner = Planner(replace(speaker, voices=voices), lambda text, occurrence: None, cast_book(cast, book))
        return make_plan(book, choose_chapters(None, len(book.chapters)), planner, "m", "v", 15.0)

    return make


def rows(plan: Plan) -> Rows:
    return [(line.speaker, line.voice, line.text) for line in plan.lines]


@pytest.fixture
def play(tmp_path: Path) -> Path:
    return make_epub(tmp_path / "play.epub", {"a.xhtml": PLAY}, entry("Act I", "a.xhtml"))


@pytest.fixture
def prose(tmp_path: Path) -> ChapterBook:
    path = tmp_path / "prose.txt"
    path.write_text(PROSE)
    return read_chapters(path)


@pytest.mark.parametrize("names", ["read", "drop"])
def test_the_speakers_of_a_play(names: str, play: Path, cast_of: MakeCast, planned: Callable[..., Plan]) -> None:
    book = read_chapters(play, ReadOptions(speakers=names))  # type: ignore[arg-type]
    spoken = rows(planned(book, cast_of("ALGERNON: bf_emma\nlane: kathleen\n")))
    named: Rows = [("", "", "Algernon")] if names == "read" else []
    other: Rows = [("", "", "Lane")] if names == "read" else []
    assert spoken == [
        ("", "", "Act one"), ("", "", "Enter Lane."), *named,
        ("Algernon", "bf_emma", "Did you hear?"), ("", "", "Sits down."), ("Algernon", "bf_emma", "Well."), *other,
        ("Lane", "kathleen", "No, sir."), ("Lane", "kathleen", "I did not."), ("", "", "The curtain falls."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "page",
    [
        '<p><b epub:type="z3998:persona">Jack</b> Come in.</p><p>He comes.</p>',
        '<p><span epub:type="z3998:persona">Jack.</span> Come in.</p><p>He comes.</p>',
        '<dl><dt epub:type="z3998:persona">Jack</dt><dd>Come in.</dd></dl><p>He comes.</p>',
        '<div><p epub:type="z3998:persona">Jack</p><p>Come in.</p></div><p>He comes.</p>',
        "<p>JACK. Come in.</p><p>He comes.</p><p>JACK. Come in.</p><p>JACK. Come in.</p>",
        "<p>JACK: Come in.</p><p>He comes.</p><p>JACK: Come in.</p><p>JACK: Come in.</p>",
        "<p>JACK. Come [<i>aside</i>] in.</p><p>He comes.</p><p>JACK. Come in.</p><p>JACK. Come in.</p>",
    ],
)
def test_other_forms_of_plays(page: str, tmp_path: Path, cast_of: MakeCast, planned: Callable[..., Plan]) -> None:
    book = read_chapters(make_epub(tmp_path / "play.epub", {"a.xhtml": page}, entry("One", "a.xhtml")))
    spoken = rows(planned(book, cast_of("Jack: kathleen")))
    assert "Come in." in " ".join(text for name, _, text in spoken if name.lower() == "jack")
    assert [text for name, _, text in spoken if not name and text.lower() not in ("aside", "jack", "jack.")] == [
        "He comes."
    ]


def test_quotations_of_prose_and_chapters(prose: ChapterBook, cast_of: MakeCast, planned: Callable[..., Plan]) -> None:
    plan = planned(prose, cast_of("Jack: kathleen\nchapter 2: bf_emma\nnarrator: af_bella\n"))
    assert rows(plan)[1:] == [
        ("Jack", "kathleen", '"Yes,"'), ("", "", "said Jack"), ("Jack", "kathleen", '"I am."'), ("", "", "He laughed."),
        ("", "", '"Who?" she asked.'), ("", "bf_emma", "chapter two"), ("", "bf_emma", 'Jill said, "Me."'),
    ]  # fmt: skip
    assert [line.pause_s for line in plan.lines[1:4]] == [0.12, 0.12, 0.35]
    assert plan.spoken_words == planned(prose, None).spoken_words


def test_a_voice_is_part_of_a_sound_and_of_nothing_else(
    prose: ChapterBook, cast_of: MakeCast, planned: Callable[..., Plan]
) -> None:
    alone = planned(prose, None)
    first, second = (planned(prose, cast_of(f"chapter 2: {voice}")) for voice in ("kathleen", "bf_emma"))
    keys = [[line.key for line in plan.lines] for plan in (alone, first, second)]
    assert keys[0][:-2] == keys[1][:-2] == keys[2][:-2]
    assert len({key for plan in keys for key in plan[-2:]}) == 6


def test_a_table_with_tabs(prose: ChapterBook, cast_of: MakeCast, tmp_path: Path) -> None:
    cast = cast_of("# who\tvoice\nJill\tkathleen\n\nnarrator\tclips/me.wav\n", "cast.tsv")
    assert (cast.narrator, cast.speakers) == ("clips/me.wav", {"jill": "kathleen"})
    assert cast.clip("clips/me.wav") == tmp_path / "clips" / "me.wav"
    assert cast.clip("kathleen") == Path("kathleen")


@pytest.mark.parametrize(
    ("text", "name", "what"),
    [
        ("Jim: kathleen", "c.yaml", r"no speaker 'Jim'; its speakers are Jack, Jill"),
        ("chapter 3: kathleen", "c.yaml", r"chapter 3: expected 1 to 2"),
        ("chapter 0: kathleen", "c.yaml", r"chapter 0: expected 1 to 2"),
        (
            "chapters 2-1: kathleen",
            "c.yaml",
            r"'chapters 2-1': expected the smaller number first, such as 'chapters 1-2'",
        ),
        (
            "chapters 1-2: kathleen\nchapter 2: me.wav",
            "c.yaml",
            r"'chapter 2': chapter 2 has a voice already, 'kathleen'",
        ),
        ("chapter two: kathleen", "c.yaml", r"no speaker 'chapter two'; .*; a chapter is written as 'chapter 3'"),
        ("", "c.yaml", "expected keys and values"),
        ("{}", "c.yaml", "the cast is empty"),
        ("- Jack", "c.yaml", "expected keys and values"),
        ("Jack: 3", "c.yaml", "expected a name and a voice"),
        ("Jack:", "c.yaml", "expected a name and a voice"),
        ("yes: kathleen", "c.yaml", "expected a name and a voice"),
        ("Jack: kathleen\nJACK: bf_emma", "c.yaml", "the same name"),
        ("Jack: [", "c.yaml", "not valid YAML"),
        ("Jack kathleen", "c.tsv", r"c\.tsv:1: 'Jack kathleen' has no tab"),
        ("Jack\t", "c.tsv", "expected a name and a voice"),
        ("", "c.tsv", "the cast is empty"),
    ],
)
def test_a_cast_that_does_not_fit(text: str, name: str, what: str, prose: ChapterBook, cast_of: MakeCast) -> None:
    with pytest.raises(ConfigError, match=what) as caught:
        cast_book(cast_of(text, name), prose)
    assert "\n" not in str(caught.value)


def test_a_voice_that_is_not_there_is_refused_with_the_name_of_the_cast_file(cast_of: MakeCast) -> None:
    cast_of("Jack: kathleen\nnarrator: bf_emma").require_voices()
    for text in ("Jack: nobody", "narrator: nobody", "chapter 1: nobody"):
        with pytest.raises(ConfigError, match=r"cast\.yaml: .*nobody: no such file, and no voice of that name"):
            cast_of(text).require_voices()


def test_a_clip_may_lie_in_the_home(cast_of: MakeCast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (home / "jack.wav").write_bytes(b"")
    cast = cast_of("Jack: ~/jack.wav\nnarrator: ~nobody-here/me.wav\n")
    assert cast.clip("~/jack.wav") == home / "jack.wav"
    assert cast.clip("~nobody-here/me.wav") == tmp_path / "~nobody-here" / "me.wav"
