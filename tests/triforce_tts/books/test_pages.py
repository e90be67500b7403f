"""The rules by which a page of a book is read: what is spoken, what is silent, and in which blocks."""

from pathlib import Path

import pytest

from tests.books import read_page, reasons, spoken
from triforce_tts.books.chapters import ReadOptions


def kinds(tmp_path: Path, body: str) -> list[tuple[str, str]]:
    return [(block.kind, block.spoken) for block in read_page(tmp_path, body).blocks()]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>The light&#173;house, the tap<wbr/>room and the co&#x2060;operative.</p>", "The lighthouse, the taproom and the cooperative."),
        ('<p>An af<span epub:type="pagebreak" id="p2">12</span>ternoon.</p>', "An afternoon."),
        ('<p>An af<span role="doc-pagebreak" aria-label="13"/>ternoon.</p>', "An afternoon."),
        ('<p>It <span class="pagenum">[Pg 7]</span>ended.</p>', "It ended."),
        ('<p><span class="dropcap">T</span><span class="small">he lamp</span> was lit.</p>', "The lamp was lit."),
        ('<p><span class="drop-cap">T</span>\n  <span>HE LAMP</span> was lit.</p>', "The lamp was lit."),
        ('<div class="dropcap">O</div><p>nce there was a lamp.</p>', "Once there was a lamp."),
        ('<p><span class="dropcap">A</span> lamp was lit.</p>', "A lamp was lit."),
        ('<p><span class="dropcap">I</span> t was lit.</p>', "It was lit."),
        ('<p><img class="dropcap" src="t.png" alt="T"/>he lamp.</p>', "The lamp."),
        ('<p><img src="t.png" alt="T"/>he lamp.</p>', "The lamp."),
        ('<p><span><img src="t.png" alt="T"/></span><b>he</b> lamp.</p>', "The lamp."),
        ('<p><img src="t.png" alt="T"/><!-- so -->he lamp.</p>', "The lamp."),
        ('<p>It.</p><p><img src="t.png" alt="T"/><!-- so --></p>', "It."),
        # these pictures are no first letters
        ('<p><img src="a.png" alt="A"/> lamp and a <img src="b.png" alt="B"/>ulb.</p>', "lamp and a ulb."),
        ("<p>From the 1<sup>st</sup>, 3<sup>2</sup> and H<sub>2</sub>O.</p>", "From the 1st, 3² and H₂O."),
        ("<p>An <del>old</del><ins>new</ins> lamp<ins>s</ins> and colo<s>u</s>r.</p>", "An old new lamps and colour."),
        ("<p>It <del>is</del><!-- so --><ins>was</ins> good.</p>", "It is was good."),
        ("<p>See www.example.org/a?b=1 and www. there.</p>", "See and www. there."),
        ("<p>See www.a.org—and go, www.b.org...then www.c.org's e@www.d.org.</p>", "See —and go, ...then 's e@www.d.org."),
        ("<p>He wrote <q>come <q>now</q></q>.</p>", "He wrote “come ‘now’”."),
        ("<p>In <ruby>東京<rp>(</rp><rt>Tokyo</rt><rp>)</rp></ruby> they laughed.</p>", "In Tokyo they laughed."),
        ("<p>In <ruby>東<rp>(</rp><rt>To</rt><rp>)</rp>京<rt>kyo</rt></ruby> they laughed.</p>", "In Tokyo they laughed."),
        ("<p>In <ruby>Tokyo<rt>とうきょう</rt></ruby> they laughed.</p>", "In Tokyo they laughed."),
        ('<p>Is <math xmlns="http://www.w3.org/1998/Math/MathML" alttext="x squared"><msup><mi>x</mi><mn>2</mn></msup></math>, he said.</p>', "Is x squared, he said."),
        (r'<p>Is <math alttext="a - \frac{b}{c}"><mi>a</mi></math>, he said.</p>', r"Is \(a - \frac{b}{c}\), he said."),
        ('<p>Is <math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mi>x</mi><annotation>latex</annotation></semantics></math>.</p>', "Is x."),
        ("<p>Cafe\u0301 \ufb01gures.</p>", "Café figures."),
        ('<p>See <a href="https://x.org/a_b?x=1">https://x.org/a_b?x=1</a> there.</p>', "See there."),
        ("<p>IT WAS the best of times.</p>", "It was the best of times."),
        ("<p>THE KEEPER SAID NOTHING. NOTHING.</p>", "THE KEEPER SAID NOTHING. NOTHING."),
        ("<p>NASA said so.</p>", "NASA said so."),
        ("<p>I KNEW H. G. WELLS as a boy.</p>", "I knew H. G. Wells as a boy."),
        ("<p>ST. PETERSBURG, Dec. 11th, 17—.</p>", "St. Petersburg, Dec. 11th, 17—."),
        ("<p>SCENE. A room.</p>", "Scene. A room."),
        ("<p>It grew,<span class='lnum'>10</span></p>", "It grew,"),
        ("<p>One.<a href='#n'>³</a> Two.</p><p>An end.</p>", "One. Two. / An end."),
        ("<p>It is <meter>3 of 5</meter>here.</p>", "It is here."),
        ('<p><epub:switch><epub:case><b>q</b></epub:case><epub:default>as text</epub:default></epub:switch></p>', "as text"),
        ('<p><epub:switch><!-- so --><epub:case><b>q</b></epub:case><epub:default><img src="q"/></epub:default></epub:switch></p>', "q"),
    ],
)  # fmt: skip
def test_a_paragraph_is_read_as_it_sounds(body: str, text: str, tmp_path: Path) -> None:
    assert " / ".join(spoken(read_page(tmp_path, body))) == text


@pytest.mark.parametrize(
    ("body", "reason", "text"),
    [
        ("<p hidden='hidden'>secret</p>", "hidden", "secret"),
        ("<p aria-hidden='true'>secret</p>", "hidden", "secret"),
        ("<p style='color: red; display:none'>secret</p>", "hidden", "secret"),
        ("<!-- secret -->", "comment", "secret"),
        ("<script>var secret;</script>", "code", "var secret;"),
        ("<pre><code>secret</code></pre>", "code", "secret"),
        ("<nav><p>secret</p></nav>", "navigation", "secret"),
        ("<svg xmlns='http://www.w3.org/2000/svg'><title>secret</title></svg>", "drawing", "secret"),
        ("<img src='a.png' alt='secret'/>", "description of a picture", "secret"),
        ("<div epub:type='pagebreak'>9</div>", "page number", "9"),
        ("<aside epub:type='footnote'><p>secret</p></aside>", "note", "secret"),
        ("<aside role='doc-endnote'><p>secret</p></aside>", "note", "secret"),
        ("<div class='footnote'><p>secret</p></div>", "note", "secret"),
        ("<div class='sidenote'><p>secret</p></div>", "note", "secret"),
        ("<p><span class='sidenote'>secret</span></p>", "note", "secret"),
        ("<section epub:type='colophon'><p>secret</p></section>", "back matter", "secret"),
        ("<section epub:type='copyright-page'><p>secret</p></section>", "front matter", "secret"),
        ("<div id='pg-header'><p>secret</p></div>", "Gutenberg header", "secret"),
        ("<section id='pg-footer'><p>secret</p></section>", "Gutenberg footer", "secret"),
        ("<button>secret</button>", "form", "secret"),
    ],
)
def test_what_is_silent_is_listed_with_its_reason(body: str, reason: str, text: str, tmp_path: Path) -> None:
    book = read_page(tmp_path, f"<p>It began.</p>{body}<p>It ended.</p>")
    assert spoken(book) == ["It began.", "It ended."]
    assert reasons(book) == {reason: text}


@pytest.mark.parametrize(
    ("body", "blocks"),
    [
        ("<ol start='3'><li><p>Oil.</p></li><li>Two<ul><li>thick,</li><li>thin.</li></ul></li></ol>", ["3. Oil.", "4. Two", "thick,", "thin."]),
        ("<ol><li>Oil.</li><li value='7'>Wick.</li><li>Glass.</li></ol>", ["Oil.", "7. Wick.", "8. Glass."]),
        ("<ol reversed='' start='2'><li>Oil.</li><li>Wick.</li></ol>", ["2. Oil.", "1. Wick."]),
        ("<dl><dt>Wick</dt><dd>It burns.</dd><dt>Oil</dt><dd>It is bought.</dd></dl>", ["Wick: It burns.", "Oil: It is bought."]),
        ("<table><caption>Stores</caption><thead><tr><th>Thing</th><th>Number</th></tr></thead><tr><td>Lamps</td><td>4</td></tr></table>", ["Stores", "Thing\nNumber", "Lamps\n4"]),
        ("<table><tr><td><p>One.</p></td><td><p>Two.</p></td></tr></table>", ["One.", "Two."]),
        ("<figure><img src='a.png' alt='sketch'/><figcaption>The tower.</figcaption></figure>", ["The tower."]),
        ("<figure><img src='a.png' alt='A tower'/><figcaption aria-hidden='true'>A tower</figcaption></figure>", ["A tower"]),
        ("<div class='linegroup'><div class='ln'>The sea</div><div class='ln'>is wide<span class='lnum'>2</span></div></div>", ["The sea\nis wide"]),
        ("<h2>II<br/>The List</h2><p>A.</p>", ["II\nThe List", "A."]),
        ("<h2><img src='a.png' alt='The List'/></h2><p>A.</p>", ["The List", "A."]),
        ("<p>Dear Hale,<br/>The sea is high.<br/>Yours</p>", ["Dear Hale,\nThe sea is high.\nYours"]),
        ("<p>He<br/>was gray.</p>", ["He was gray."]),
        ("<div class='poem'><div class='stanza'><div class='line'>The sea is wide</div><div class='line'>and deep</div></div></div>", ["The sea is wide\nand deep"]),
        ("<pre>The sea\n  is wide</pre>", ["The sea\nis wide"]),
        ("<p>One.</p><hr/><p>* * *</p><p>❦</p><p>Two.</p><hr/>", ["One.", "***", "Two."]),
        ("<blockquote><p>A note.</p><div>No paragraph.</div></blockquote>", ["A note.", "No paragraph."]),
        ("<p>“Yes.” “No.”</p><p>Yes.</p><p>No.</p>", ["“Yes.” “No.”", "Yes.", "No."]),
    ],
)  # fmt: skip
def test_blocks(body: str, blocks: list[str], tmp_path: Path) -> None:
    assert spoken(read_page(tmp_path, body)) == blocks


@pytest.mark.parametrize(
    ("body", "blocks"),
    [
        ("One was here.<br/><br/>Two <i>was</i>.<br/>\n<br/> <br/>Three.<br/>It was.", ["One was here.", "Two was.", "Three.\nIt was."]),
        ("<p>One <i>was.<br/><br/>Two</i> was.</p>", ["One was.", "Two was."]),
        ("<p>One<br/>was<br/><b>two</b><br/>three.</p>", ["One\nwas\ntwo\nthree."]),
        ("<h1>One<br/><br/>Two</h1><p>End.</p>", ["One\nTwo", "End."]),
    ],
)  # fmt: skip
def test_an_empty_line_of_breaks_ends_a_paragraph(body: str, blocks: list[str], tmp_path: Path) -> None:
    assert spoken(read_page(tmp_path, body)) == blocks


def test_kinds_of_blocks(tmp_path: Path) -> None:
    header = '<header><p>Chapter</p><h2>I</h2><p epub:type="title">The Lamp</p></header>'
    assert [kind for kind, _ in kinds(tmp_path, f"{header}<p>A.</p><ul><li>B</li></ul><div class='verse'><p>C</p></div>")] == [
        "heading", "heading", "heading", "paragraph", "list", "verse",
    ]  # fmt: skip


PLAY = (
    "<table><tr><td/><td><i epub:type='z3998:stage-direction'><b epub:type='z3998:persona'>Lane</b> enters.</i></td></tr>"
    "<tr><td epub:type='z3998:persona'>Lane</td><td>Yes, sir.</td></tr></table>"
    "<p><b epub:type='z3998:persona'>Jack</b>. No.</p>"
)


def test_a_play_has_speakers_that_may_be_dropped(tmp_path: Path) -> None:
    assert kinds(tmp_path, PLAY) == [
        ("paragraph", "Lane enters."),
        ("speaker", "Lane"),
        ("paragraph", "Yes, sir."),
        ("speaker", "Jack"),
        ("paragraph", "No."),
    ]
    book = read_page(tmp_path, PLAY, ReadOptions(speakers="drop"))
    assert spoken(book) == ["Lane enters.", "Yes, sir.", "No."]
    assert reasons(book) == {"name of a speaker": "Lane Jack"}


NOTES = (
    "<p>The king<sup><a href='#f1' id='r1'>[1]</a></sup> died.<a epub:type='noteref' href='#f2'>2</a></p>"
    "<p>He was old.</p>"
    "<p id='f1'><a href='#r1'>1</a> Of France.</p>"
    "<aside id='f2' epub:type='footnote'><p>In bed.</p></aside>"
)


@pytest.mark.parametrize(
    ("notes", "blocks"),
    [
        ("skip", ["The king died.", "He was old."]),
        ("inline", ["The king died.", "1 Of France.", "In bed.", "He was old."]),
        ("end", ["The king died.", "He was old.", "1 Of France.", "In bed."]),
    ],
)
def test_notes_are_silent_or_read_where_they_are_wanted(notes: str, blocks: list[str], tmp_path: Path) -> None:
    book = read_page(tmp_path, NOTES, ReadOptions(notes=notes))  # type: ignore[arg-type]
    assert spoken(book) == blocks
    assert [block.kind for block in book.blocks()].count("note") == (0 if notes == "skip" else 2)


def test_untyped_notes_with_a_heading_and_more_than_one_paragraph(tmp_path: Path) -> None:
    body = (
        "<p>One<a id='r1' href='#n1'><sup>1</sup></a> and two<a id='r2' href='#n2'><sup>2</sup></a>.</p><div><h3>Notes</h3>"
        "<p><a id='n1' href='#r1'>1</a> First.</p><p>More of it.</p><p><a id='n2' href='#r2'>2</a> Second.</p></div>"
    )
    book = read_page(tmp_path, body)
    assert spoken(book) == ["One and two."]
    assert reasons(book)["note"] == "Notes 1 First. More of it. 2 Second."


def test_a_typed_link_of_words_is_read(tmp_path: Path) -> None:
    assert spoken(read_page(tmp_path, "<p>Click <a epub:type='noteref' href='#n'>this link</a>.</p>")) == [
        "Click this link."
    ]


def test_descriptions_of_pictures_are_read_if_wanted(tmp_path: Path) -> None:
    book = read_page(tmp_path, "<p>A.</p><img src='a.png' alt='A sketch'/>", ReadOptions(pictures=True))
    assert spoken(book) == ["A.", "A sketch"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>Lit.<a href='#n1'>1</a></p><h2>Notes</h2><h3>One</h3><p id='n1'>1. Oil.</p><p>2. Wax.</p>", "Lit."),
        ("<p>Lit<a href='#n1'>1</a> and<a href='#n2'>2</a>.</p><h2>Notes</h2><ol><li id='n1'>Oil.</li><li id='n2'>Wax.</li></ol>", "Lit and."),
        ("<p>Lit.<a href='#n1'>*</a></p><p id='n1'>* Oil.</p>", "Lit."),
        ("<p>Lit.<sup><a href='#n1'>1</a></sup></p><ol><li id='n1'>Oil.</li></ol>", "Lit."),
    ],
)  # fmt: skip
def test_notes_that_lead_nowhere_back_are_told_by_their_place_and_form(body: str, text: str, tmp_path: Path) -> None:
    book = read_page(tmp_path, body)
    assert spoken(book) == [text]
    assert "Oil" in reasons(book)["note"]


@pytest.mark.parametrize(
    "body",
    [
        "<p>See rule <a href='#n1'>1</a> there.</p><p id='n1'>1. Keep the lamp lit.</p>",
        "<p>Go on.</p><h2>Notes</h2><p>He left many notes.</p>",
    ],
)
def test_what_only_looks_like_notes_is_spoken(body: str, tmp_path: Path) -> None:
    assert not reasons(read_page(tmp_path, body))


def test_a_picture_in_a_figure_is_no_first_letter(tmp_path: Path) -> None:
    body = "<p>It was.</p><figure><img src='a.png' alt='X'/><figcaption>A lamp.</figcaption></figure>"
    assert spoken(read_page(tmp_path, body)) == ["It was.", "A lamp."]


@pytest.mark.parametrize(
    "notes",
    [
        "<p>1. George.</p><p>2. In bed.</p>",
        "<hr/><p><sup>1</sup> George.</p><p><sup>2</sup>In bed.</p>",
        "<h3>Notes</h3><ol><li>1 George.</li><li>2 In bed.</li></ol>",
        "<div>[1] George.</div><div>[2] In bed.</div><h2>Next</h2><p>1. Go.</p>",
        "<p>It had ten km<sup>2</sup> of land.</p><p>1. George.</p><p>2. In bed.</p>",
    ],
)
def test_notes_at_the_end_of_a_chapter_whose_marks_are_no_links(notes: str, tmp_path: Path) -> None:
    body = f"<p>The king<sup>1</sup> died.<sup>2</sup></p><p>He was old.</p>{notes}"
    book = read_page(tmp_path, body)
    rest = (["It had ten km² of land."] if "km" in notes else []) + (["Next", "1. Go."] if "Next" in notes else [])
    assert spoken(book) == ["The king died.", "He was old.", *rest]
    assert reasons(book)["note"].replace("Notes ", "").count("George.") == 1
    assert "George" in " ".join(spoken(read_page(tmp_path, body, ReadOptions(notes="inline"))))


@pytest.mark.parametrize(
    "body",
    [
        "<p>He went.</p><p>1. George.</p>",
        "<p>It is 10<sup>1</sup> long.</p><p>1. George.</p>",
        "<p>The king<sup>1</sup> died.</p><p>1. George.</p><p>He was old.</p>",
        "<p>The king<sup>1</sup> died.</p><p>2. George.</p>",
        "<p>It is ten km<sup>2</sup> in all.</p><p>2 men came up the road and asked for water.</p>",
        "<p>Take 5 cm<sup>3</sup>.</p><p>1. Warm it.</p><p>2. Stir it.</p><p>3. Drink it.</p><h2>Next</h2><p>So.</p>",
        "<p>It is 10 km<sup>2</sup> in all.</p><p>1. First.</p><p>2. Second and last rule.</p><h1>Next</h1><p>So.</p>",
        "<p>He said E=mc<sup>2</sup>.</p><p>2 men came.</p>",
        "<p>Energy is mass times speed<sup>2</sup>.</p><p>2 men came.</p>",
        "<p>The king<sup>1</sup> died.<sup>2</sup></p><p>2 men came.</p>",
        "<p>The king<sup>1</sup> died.<sup>2</sup></p><p>1 man came.</p><h2>Next</h2><p>So.</p>",
    ],
)
def test_numbers_without_such_marks_are_read(body: str, tmp_path: Path) -> None:
    assert "note" not in reasons(read_page(tmp_path, body))


def test_numbers_of_lines_of_verse_are_silent(tmp_path: Path) -> None:
    poem = (
        '<p class="poem">The sea,<br/>the sea, <span class="linenum">5</span><br/>so <b class="linenum">wide</b>.</p>'
    )
    book = read_page(tmp_path, poem)
    assert spoken(book) == ["The sea,\nthe sea,\nso wide."]
    assert reasons(book)["page number"] == "5"


def test_formulas_without_a_description_keep_their_signs(tmp_path: Path) -> None:
    formulas = [
        "<mfrac><mn>1</mn><mn>3</mn></mfrac>",
        "<msup><mi>x</mi><mn>2</mn></msup><mo>+</mo><msub><mi>a</mi><mn>1</mn></msub>",
        "<mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mi>c</mi></mfrac>",
        "<msqrt><mn>2</mn></msqrt><mo>,</mo><msqrt><mi>x</mi><mo>+</mo><mn>1</mn></msqrt>",
    ]
    body = "".join(f'<p>It is <math xmlns="http://www.w3.org/1998/Math/MathML">{f}</math>.</p>' for f in formulas)
    assert spoken(read_page(tmp_path, body)) == ["It is 1/3.", "It is x^2+a 1.", "It is (a+b)/c.", "It is √2,√(x+1)."]


def test_a_dialog_that_is_closed_is_hidden(tmp_path: Path) -> None:
    book = read_page(tmp_path, "<p>It began.</p><dialog>No.</dialog><dialog open=''>Yes.</dialog>")
    assert spoken(book) == ["It began.", "Yes."]
    assert reasons(book)["hidden"] == "No."
