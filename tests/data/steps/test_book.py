import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks import truth as known
from tests.clips import SPEECH
from triforce_tts.audio.io import Audio, read_audio
from triforce_tts.books import epub
from triforce_tts.data.common.segments import MemorySound, Segment
from triforce_tts.data.steps import book as b
from triforce_tts.data.steps.book import BookConfig, align_text, anchors, heard_words, make_book, match, read_book
from triforce_tts.errors import TextError
from triforce_tts.text.phonemes import Lexicon
from triforce_tts.text.tokenizer import TextTokenizer

RATE = 16000


# --- reading ------------------------------------------------------------------------------------------------------


def test_words_that_are_heard_of_printed_ones() -> None:
    assert heard_words("“Don’t—”") == ("dont",)
    assert heard_words("well-known") == ("well", "known")
    assert heard_words("--") == ()
    assert heard_words("3") == ("three",)
    assert heard_words("Café—") == heard_words("CAFÉ") == ("cafe",)
    assert heard_words("ÎLE") == ("ile",)
    assert heard_words("Zoë’s") == ("zoes",)
    assert heard_words("日本") == ()
    book = make_book("He said: “Stop!” -- and\nwent.")
    assert book.words == ["he", "said", "stop", "and", "went"]
    assert [book.tokens[t] for t in book.token_of] == ["He", "said:", "“Stop!”", "and", "went."]


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        ("I’ll", ["i'll"]),
        ("“Don't—”", ["don't"]),
        ("‘John’s", ["john's"]),
        ("dogs’", ["dogs"]),
        ("his’", ["his"]),
        ("’Tis", ["'tis"]),
        ("‘em", ["'em"]),  # what a word processor makes of it
        ("goin’,", ["goin'"]),
        ("‘said’", ["said"]),
        ("shouldn’t’ve", ["shouldntve"]),
        ("1914’s", ["nineteen", "fourteen's"]),
        ("five-o’clock", ["five", "o'clock"]),
    ],
)
def test_words_as_the_dictionary_has_them(printed: str, words: list[str]) -> None:
    """An apostrophe may be part of a word or a quotation mark; what is unknown is letters only."""
    lexicon = Lexicon.load()
    assert [b.as_listed(word, lexicon) for word in make_book(printed).spelled] == words


def test_the_aligner_is_given_words_with_their_apostrophes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As "ill" it would be scored for another word; what is matched stays letters only."""
    book = make_book("‘I’ll go,’ said John’s aunt.")
    assert book.words == ["ill", "go", "said", "johns", "aunt"]
    asked = []

    class Listening:
        tokenizer = TextTokenizer()

        def score(self, audio: Audio, text: str) -> float:
            asked.append(text)
            return 0.0

    monkeypatch.setattr(b, "aligner", Listening)
    item = b._Placed(Segment(0, 1), [], first=0, last=4)
    assert b._Scorer(MemorySound(np.zeros(RATE, np.float32), RATE), book)(item, 0, 1) == 0
    assert asked == ["i'll go said john's aunt"]


def test_a_dash_is_a_place_to_pause() -> None:
    """Two segments that are cut there share no word."""
    book = make_book("I saw him—he ran -- away--so.")
    assert book.words == ["i", "saw", "him", "he", "ran", "away", "so"]
    assert len(set(book.token_of)) == len(book.words)
    assert book.printed(book.token_of[:3]) == "I saw him—"
    assert book.printed(book.token_of[3:5]) == "he ran"
    assert book.printed(range(len(book.tokens))) == "I saw him—he ran -- away--so."


def test_an_epub_of_the_real_world(tmp_path: Path) -> None:
    """Named entities, names with spaces, a folder up, a soft hyphen, a page that is missing."""
    body = page("<p>Don&rsquo;t know&mdash;she said&nbsp;no, at the caf&eacute; &amp; be&shy;yond.</p>")
    path = write_epub(tmp_path / "x.epub", {"one": body, "two": body}, ["one", "two"])
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    listing = files["OEBPS/content.opf"].replace(b"one.xhtml", b"../OEBPS/ch%201.xhtml#top")
    files["OEBPS/content.opf"] = listing
    files["OEBPS/ch 1.xhtml"] = files.pop("OEBPS/one.xhtml")
    del files["OEBPS/two.xhtml"]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    book = read_book(path)
    assert book.printed(range(len(book.tokens))) == "Don’t know—she said no, at the café & beyond."


def test_an_epub_that_is_damaged_inside_is_one_line(tmp_path: Path) -> None:
    path = write_epub(tmp_path / "x.epub", {"one": page("<p>" + "Some words. " * 500 + "</p>")}, ["one"])
    content = bytearray(path.read_bytes())
    place = content.index(b"OEBPS/one.xhtml") + 25
    content[place : place + 20] = b"\xff" * 20
    path.write_bytes(content)
    with pytest.raises(TextError, match=r"x\.epub"):
        read_book(path)


def write_epub(path: Path, chapters: dict[str, str], spine: list[str]) -> Path:
    items = "".join(f'<item id="{name}" href="{name}.xhtml"/>' for name in chapters)
    order = "".join(f'<itemref idref="{name}"/>' for name in spine)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/content.opf"/></rootfiles></container>',
        )
        archive.writestr(
            "OEBPS/content.opf",
            f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{items}</manifest><spine>{order}</spine></package>',
        )
        for name, body in chapters.items():
            archive.writestr(f"OEBPS/{name}.xhtml", body)
    return path


def page(body: str, doctype: str = "") -> str:
    head = "<head><title>no</title><style>no</style></head>"
    return f'{doctype}<html xmlns="http://www.w3.org/1999/xhtml">{head}<body>{body}</body></html>'


def test_an_epub_is_read_in_the_order_of_its_spine(tmp_path: Path) -> None:
    chapters = {
        "two": page("<p>And <i>then</i> it</p><p>ended.</p><!-- no -->"),
        "one": page("<h1>One</h1><p>It began.</p>"),
    }
    book = read_book(write_epub(tmp_path / "x.epub", chapters, ["one", "two"]))
    assert " ".join(book.tokens) == "One It began. And then it ended."


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('<p>The king<a epub:type="noteref" href="#n1">1</a>, who died.</p>', "The king, who died."),
        ('<p>The king<a role="doc-noteref" href="#n1">1</a> died.</p>', "The king died."),
        ('<p>The king<a epub:type="x:y NoteRef">1</a> died.</p>', "The king died."),
        ('<p>The king<sup><a href="n.xhtml#1">1</a></sup> died.</p>', "The king died."),
        ('<p>The king<a href="#n1"> <b><sup>a</sup></b></a> died.</p>', "The king died."),
        ('<p>The king<a href="#n1">[12]</a> died<a href="#n2">†</a>.</p>', "The king died."),
        ('<p>A won<span epub:type="pagebreak" id="p9">9</span>der was<i role="doc-pagebreak">10</i> seen.</p>',
         "A wonder was seen."),
        ('<p>It ended.</p>So.<hr epub:type="pagebreak" title="9"/>Then', "It ended. So. Then"),
        ('<div>It ended.<aside epub:type="footnote"><p>1 A note.</p></aside>It began.</div>', "It ended. It began."),
        ('<p>Ended.</p><section epub:type="bodymatter endnotes"><p>1 A note.</p></section><p>Then.</p>', "Ended. Then."),
        ('<p>Ended.</p><section epub:type="rearnotes"><p>1 A note.</p></section><p>Then.</p>', "Ended. Then."),
        ('<p>Ended.</p><div role="doc-footnote"><p>1 A note.</p></div><p>Then.</p>', "Ended. Then."),
        ("<div>Contents:<nav><ol><li>One</li></ol></nav>It began.</div>", "Contents: It began."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("declared", [True, False])
def test_notes_and_page_numbers_of_an_epub_are_not_read(tmp_path: Path, body: str, text: str, declared: bool) -> None:
    """What follows them is. The prefix of epub:type is not declared in every book."""
    content = page(body)
    if declared:
        content = content.replace("<html", '<html xmlns:epub="http://www.idpf.org/2007/ops"')
    book = read_book(write_epub(tmp_path / "x.epub", {"one": content}, ["one"]))
    assert book.printed(range(len(book.tokens))) == text


def test_links_and_raised_letters_of_an_epub_are_read(tmp_path: Path) -> None:
    body = (
        '<p role="note doc-epigraph">See <a href="#c3">chapter 3</a> or <a href="#c4">4</a>, the 1<sup>st</sup> '
        '<a href="#c5">1<sup>st</sup></a> of x<sup><a id="p2">2</a></sup>, <a href="#fig">(b)</a>, <a href="#map">[a] map</a>.</p>'
    )
    book = read_book(write_epub(tmp_path / "x.epub", {"one": page(body)}, ["one"]))
    assert " ".join(book.tokens) == "See chapter 3 or 4, the 1st 1st of x2, (b), [a] map."


def test_words_of_neighbouring_cells_of_an_epub_stay_apart(tmp_path: Path) -> None:
    body = "<table><tr><th>Who</th><th>Where</th></tr><tr><td>I</td><td>here</td></tr></table>"
    book = read_book(write_epub(tmp_path / "x.epub", {"one": page(body)}, ["one"]))
    assert book.tokens == ["Who", "Where", "I", "here"]


def test_the_table_of_contents_of_an_epub_is_not_read(tmp_path: Path) -> None:
    chapters = {"toc": page("<h1>Contents</h1><nav>One</nav>"), "one": page("<p>It began.</p>")}
    path = write_epub(tmp_path / "x.epub", chapters, ["toc", "one"])
    change_epub(path, "OEBPS/content.opf", '<item id="toc"', '<item properties="scripted nav" id="toc"')
    assert read_book(path).tokens == ["It", "began."]


def encryption(*files: tuple[str, str]) -> str:
    """The listing of files that are encrypted, with the algorithm of each."""
    listed = "".join(
        '<enc:EncryptedData xmlns:enc="http://www.w3.org/2001/04/xmlenc#">'
        f'<enc:EncryptionMethod Algorithm="{algorithm}"/>'
        f'<enc:CipherData><enc:CipherReference URI="{file}"/></enc:CipherData></enc:EncryptedData>'
        for algorithm, file in files
    )
    return f'<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container">{listed}</encryption>'


FONTS = "http://ns.adobe.com/pdf/enc#RC"
AES = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"


@pytest.mark.parametrize(
    ("listing", "name", "algorithm"),
    [
        (encryption((FONTS, "OEBPS/f.otf"), (AES, "OEBPS/a%20b.xhtml")), "OEBPS/a b.xhtml", AES),
        (encryption((AES, "/OEBPS/a b.xhtml"), (AES, "OEBPS/c.jpg")), "OEBPS/a b.xhtml", AES),
        (encryption((AES, "OEBPS/content.opf")), "OEBPS/content.opf", AES),
        (encryption(("", "OEBPS/a b.xhtml")), "OEBPS/a b.xhtml", "algorithm not stated"),
        (encryption(("two&#10;lines", "OEBPS/a b.xhtml")), "OEBPS/a b.xhtml", "two lines"),
    ],
)
def test_an_epub_with_copy_protection_is_one_line(tmp_path: Path, listing: str, name: str, algorithm: str) -> None:
    path = write_epub(tmp_path / "x.epub", {"a b": page("<p>It began.</p>")}, ["a b"])
    change_epub(path, "META-INF/encryption.xml", None, listing)
    with pytest.raises(TextError) as error:
        read_book(path)
    assert str(error.value) == (
        f"{path}: '{name}' in it is encrypted ({algorithm}), expected a book without copy protection (DRM); "
        "give the text as .txt, or an epub that is sold without it"
    )


@pytest.mark.parametrize(
    "listing",
    [
        encryption(("http://www.idpf.org/2008/embedding", "OEBPS/one.xhtml"), (FONTS, "OEBPS/content.opf")),
        encryption((AES, "OEBPS/cover.jpg")),
        "no XML",
    ],
)
def test_an_epub_whose_text_is_not_protected_is_read(tmp_path: Path, listing: str) -> None:
    """Fonts may be obfuscated, and pictures encrypted."""
    path = write_epub(tmp_path / "x.epub", {"one": page("<p>It began.</p>")}, ["one"])
    change_epub(path, "META-INF/encryption.xml", None, listing)
    assert read_book(path).tokens == ["It", "began."]


def change_epub(path: Path, name: str, before: str | None, after: str) -> None:
    """Put ``after`` for ``before`` into a file of it; None: it is all of the file."""
    with zipfile.ZipFile(path) as archive:
        files = {entry: archive.read(entry).decode() for entry in archive.namelist()}
    files[name] = after if before is None else files[name].replace(before, after)
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in files.items():
            archive.writestr(entry, content)


def test_an_epub_cannot_read_files_or_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    evil = f'<!DOCTYPE html [<!ENTITY x SYSTEM "file://{secret}">]>'
    book = read_book(write_epub(tmp_path / "x.epub", {"one": page("<p>Words &x; here.</p>", evil)}, ["one"]))
    assert "secret" not in " ".join(book.tokens)
    monkeypatch.setattr(epub, "MOST_UNPACKED", 100_000)
    bomb = write_epub(tmp_path / "bomb.epub", {"one": page("<p>" + "a " * 1_000_000 + "</p>")}, ["one"])
    with pytest.raises(TextError, match="unpacks to more"):
        read_book(bomb)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut short"])
def test_what_is_no_epub_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.epub").write_bytes(content)
    with pytest.raises(TextError, match=r"x\.epub"):
        read_book(tmp_path / "x.epub")


@pytest.mark.parametrize("name", ["META-INF/container.xml", "OEBPS/content.opf"])
def test_an_epub_without_an_index_is_one_line(tmp_path: Path, name: str) -> None:
    path = write_epub(tmp_path / "x.epub", {"one": page("<p>It began.</p>")}, ["one"])
    change_epub(path, name, None, "no XML")
    with pytest.raises(TextError, match=f"x.epub.*'{name}' in it is no XML"):
        read_book(path)


def test_texts_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("Café".encode("latin-1"))
    with pytest.raises(TextError, match="UTF-8"):
        read_book(tmp_path / "latin.txt")
    (tmp_path / "empty.txt").write_text(" -- \n")
    with pytest.raises(TextError, match="no words"):
        read_book(tmp_path / "empty.txt")
    with pytest.raises(TextError, match="cannot read"):
        read_book(tmp_path / "missing.txt")
    (tmp_path / "bom.txt").write_bytes(b"\xef\xbb\xbfWell.")
    assert read_book(tmp_path / "bom.txt").tokens == ["Well."]


# --- finding the way ----------------------------------------------------------------------------------------------


def test_the_longest_chain_of_anchors_leaves_out_what_is_out_of_order() -> None:
    words = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"]
    assert anchors(words, words) == [(i, i) for i in range(16)]
    moved = ["a", "b", "c", "d", "e", "x", "x", "m", "n", "o", "x", "x", "f", "g", "h", "i", "j", "k"]
    chain = anchors(moved, words)
    assert chain == sorted(chain)
    assert (12, 5) in chain
    assert (7, 12) not in chain
    assert anchors([], words) == []


def test_words_are_matched_with_the_fewest_edits() -> None:
    words = [
        "front",
        "matter",
        "the",
        "quick",
        "brown",
        "fox",
        "jumps",
        "over",
        "the",
        "lazy",
        "dog",
        "and",
        "runs",
        "away",
        "over",
        "the",
        "hill",
    ]
    heard = ["the", "quick", "brawn", "fox", "jumps", "over", "a", "lazy", "dog", "and", "runs", "away"]
    assert match(heard, words) == [(0, 2), (1, 3), (3, 5), (4, 6), (5, 7), (7, 9), (8, 10), (9, 11), (10, 12), (11, 13)]
    assert match([], words) == []
    assert match(heard, []) == []


def test_only_words_near_the_anchors_are_matched_at_the_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording of one sentence is found in a whole book, whose other words would make too large a table."""
    monkeypatch.setattr(b, "MOST_CELLS", 24)
    others = [f"w{n}" for n in range(40)]
    words = [*others, *["so", "the", "quick", "brown", "fox", "jumps", "now"], *others]
    heard = ["so", "a", "quick", "brown", "fox", "jumped", "now"]
    assert match(heard, words) == [(0, 40), (2, 42), (3, 43), (4, 44), (6, 46)]


def test_matches_rise_whatever_is_matched() -> None:
    rng = np.random.default_rng(0)
    words = [f"w{n}" for n in rng.integers(0, 30, 400)]
    heard = [w if rng.random() > 0.3 else f"x{rng.integers(9)}" for w in words[100:300]]
    pairs = match(heard, words)
    assert all(heard[i] == words[j] for i, j in pairs)
    assert all(a[0] < c[0] and a[1] < c[1] for a, c in pairwise(pairs))
    assert len([1 for i, j in pairs if j == i + 100]) > 100


def put(heard: list[str], text: str, monkeypatch: pytest.MonkeyPatch) -> list[Segment]:
    """Segments in which these words are heard, with what they get of ``text``; edges are not refined."""
    turns = iter(heard)
    monkeypatch.setattr(b, "pocketsphinx", lambda: lambda wave: next(turns))
    segments = [Segment(float(i), i + 1.0) for i in range(len(heard))]
    sound = MemorySound(np.zeros(len(heard) * RATE, np.float32), RATE)
    align_text(sound, segments, make_book(text), BookConfig(candidates=0))
    return segments


def test_a_number_over_a_cut_is_given_to_the_side_with_more_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """1945 is three words, 1914 two. What a side heard of a number that it does not get is no match."""
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
    """Those in the middle heard nothing else: without it no words are left."""
    text = "So there were 2,641 of them at the gate."
    heard = ["so there were two", "thousand six", "hundred forty one of them at the gate"]
    found = put(heard, text, monkeypatch)
    assert [s.text for s in found] == ["So there were", "", "2,641 of them at the gate."]
    assert [(s.reason, s.value) for s in found] == [("", ""), ("text not found", "0 words in common"), ("", "")]
    heard = ["so there were two", "thousand six hundred forty", "one of them at the gate"]
    found = put(heard, text, monkeypatch)
    assert [s.text for s in found] == ["So there were", "2,641", "of them at the gate."]
    found = put(["so", "there were two", *heard[1:]], text, monkeypatch)
    assert (found[0].reason, found[0].value) == ("text not found", "1 words in common")


# --- with sound ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reading() -> tuple[MemorySound, list[Segment], list[str], list[str]]:
    """Six utterances with pauses, a segment each, their texts, and passages that nobody reads."""
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

    def unread(item: b._Placed, before: int, behind: int) -> float:
        return 1.0 if item.words() == [0, 1, 10, 11] else 0.0

    def read_all(item: b._Placed, before: int, behind: int) -> float:
        return float(len(item.words()))

    for score, holes in ((unread, [(2, 10)]), (read_all, [])):
        item = b._Placed(Segment(0.0, 5.0), ["a", "b", "c", "d"], [(0, 0), (1, 1), (2, 10), (3, 11)], 0, 12)
        b._find_holes(item, score)  # type: ignore[arg-type]
        assert item.holes == holes
    # As many words as were heard, and two more, are no passage.
    item = b._Placed(Segment(0.0, 5.0), ["a", "x", "b"], [(0, 0), (2, 4)], 0, 5)
    b._find_holes(item, unread)  # type: ignore[arg-type]
    assert item.holes == []
    # Of two words that were heard there, one is before the passage and one behind it.
    item = b._Placed(Segment(0.0, 5.0), ["a", "x", "y", "b"], [(0, 0), (3, 9)], 0, 10)
    b._find_holes(item, lambda item, *_: 1.0 if item.words() == [0, 1, 8, 9] else 0.0)  # type: ignore[arg-type]
    assert item.holes == [(2, 8)]


@pytest.mark.parametrize("content", ["", " \n"])
def test_an_empty_chapter_is_no_reason_to_refuse_the_others(tmp_path: Path, content: str) -> None:
    chapters = {"one": page("<p>It began.</p>"), "two": content, "three": page("<p>It ended.</p>")}
    book = read_book(write_epub(tmp_path / "x.epub", chapters, ["one", "two", "three"]))
    assert book.words == ["it", "began", "it", "ended"]
