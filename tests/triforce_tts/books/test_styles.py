"""Text that a style sheet hides is not spoken, in HTML files and in epubs."""

import time
from pathlib import Path

import pytest
from lxml import html

from tests.books import damage, entry, make_epub, read_text, reasons, spoken
from triforce_tts.books import selectors, styles
from triforce_tts.books.html_rules import SKIP_ATTRIBUTE
from triforce_tts.books.read import read_chapters
from triforce_tts.books.styles import mark_hidden

BODY = '<p>It began.</p><p class="x y w:y" id="z">Secret.</p><p>It ended.</p>'
HIDING = [
    ".x { display: none }",
    "P.x{DISPLAY:NONE}",
    "#z{visibility:hidden}",
    ".x.y { color: red; display : none !important ; }",
    "p.other, p#z.x, b { display:none }",
    "@charset 'utf-8'; @import url(a.css); .x{display:none}",
    "@media screen, print { .x { display: none } }",
    "@font-face{font-family:'}'} /* } */ .x{display:none}",
    ".x{display:block} .x{display:none}",
    "#z{display:none} .x{display:block}",
    ".x{display:none",
    r".w\:y{display:none}",
    "<!-- .x{display:none} -->",
    ".x{display:none} .x::before, .x:after, .x[open]::marker{display:block} :root{display:block}",
    ".x{display:none} @media print{.x{display:block}}",
    ".x{display:none} b:not(.x, .y){display:block}",
    "@supports (display:grid){.x{display:grid}} .x{display:none}",
    ".x{visibility:hidden} b{visibility:visible}",
]
SHOWING = [
    ".q { display: none }",
    "b.x{display:none}",
    ".x.q{display:none}",
    "/* .x{display:none} */",
    ".x::before{content: '.x{display:none}'} .x:hover{display:none}",
    "@media print { .x { display: none } }",
    "@media amzn-mobi { .x { display: none } } .q{display:none}",
    "@keyframes k { from { visibility: hidden } } .q{display:none}",
    ".x{display:none} .x{display:inline}",
    ".x{display:none} #z{display:block}",
    ".x{display:none} body .x{display:block}",
    ".q .x{display:none}",
    ".x{display:none;display:block}",
    ".x{display:block!important;display:none}",
    ".x[hidden]{display:none}",
    "p { color: red; .x & { display: none } }",
    "body{visibility:hidden} html{display:none}",
    ".x{display:none} .x:target{display:block}",
    ".x:target{display:block} .x{display:none}",
    ".x{display:none} :target{display:block}",
    ".x{display:none} .x[open]{display:block}",
    ".x{display:none} .q,.x:not(.z){display:block}",
    ".x{display:none} .x:not(.q, .r > b):is(p, [title='a b'])[open]:hover{display:block}",
    ".x{display:none} @supports (display:grid){.x{display:grid}}",
    r".x{display:none} @media (min-width: 9em){.w\:y{display:block}}",
    r".q\:y{display:none}",
    ".x{display:none} @media (min-width: 9em){.x{display:block}}",
    "@supports (display:grid){.x{display:none}} @media (min-width: 9em){.x{display:none}}",
]

# 'It began.', 'It ended.' and a secret inside other elements.
PLACED = (
    '<div class="page" epub:type="se:note"><h2 class="t">One</h2><p>It began.</p><div class="a b" title="Two words" data-x="7">'
    '<p class="s">Secret.</p></div><p lang="en">It ended.</p></div>'
)
HIDING_PLACED = [
    ".a p{display:none}",
    ".page > .a > p{display:none}",
    "p + div p{display:none}",
    "h2 ~ div .s{display:none}",
    ".page .a .s,.q{display:none}",
    "body .a.b{display:none}",
    "[title]{display:none}",
    "[title='Two words']{display:none}",
    '[title~="words"], .q{display:none}',
    "div[title^=Two][class$=b]{display:none}",
    "[title*='O WO' i] p{display:none}",
    "[epub|type~='se:note'] > .a{display:none}",
    ".a p:not(.q){display:none}",
    ".a :not(p.q, h2){display:none}",
    "div:is(.q, .b) > p{display:none}",
    ".a > p:first-child{display:none}",
    ".page > :nth-child(3), .page > p:nth-of-type(3){display:none}",
    ".page > div:only-of-type{display:none}",
    ".a > :only-child{display:none}",
    ".page{ color:red; .a{ display:none } }",
    ".page{ & > .a{ display:none } color:red }",
    ".s{ .page &{ display:none } }",
    ".s{ @media screen{ display:none } }",
    ".a{ p{ color:red; &.s{ display:none } } }",
    "@media speech{ .s{display:none} }",
    "@media print, aural{ .s{display:none} }",
    "@media not print{ .s{display:none} }",
    ".s{ speak:none }",
    ".s{ -epub-speak:never }",
    ".s{display:none} .q .s{display:block}",
    ".s{display:none} .a + .s, h2 .s{display:block}",
    ".q{display:block} .a .s{display:none} .s{display:block}",
    "@media print{.a .s{display:block}} .a .s{display:none}",
]
SHOWING_PLACED = [
    ".b .q, .q p, h2 > p, .s + p, p ~ h2{display:none}",
    ".page > .s{display:none}",
    "h2 + div{display:none}",
    "[title=Two], [title|=Two], [title$=Two], [lang=de]{display:none}",
    "[title='a'], [title^='']{display:none}",
    ".a p:not(.s), .a:not(div) p{display:none}",
    ".a p:nth-child(2), .a p:last-of-type:hover{display:none}",
    "@media print{.a p{display:none} .page{ .s{display:none} }}",
    ".s{ @media print{ display:none } }",
    "@media print and (color){.s{display:none}} @media not speech{.q{display:none}}",
    ".a p{display:none} .page .a .s{display:block}",
    ".s{speak:none} p.s{speak:normal}",
    ".a p::before, .a p:after{display:none}",
    ".page p:has(b){display:none}",
    ".s:not(.open){display:none}",
    "body:not(.ready) .s, .no-js .s, .js .s{display:none}",
    ".a [aria-hidden]{display:none}",
    ".a p{display:none} .a[data-y] p{display:block}",
    ".s{ .q &{ display:none } .q{ display:none } }",
    ".a p{display:none} .a { & p { display:block } }",
    ".a{ > > p{ display:none }",
    ".s:{display:none} .s:not({display:none} .a[{display:none}",
]


@pytest.mark.parametrize("sheet", HIDING_PLACED)
def test_a_selector_of_several_parts_hides(sheet: str, tmp_path: Path) -> None:
    html = f"<html class='js'><head><style>{sheet}</style></head><body>{PLACED}</body></html>"
    book = read_text(tmp_path, "x.html", html)
    assert spoken(book) == ["One", "It began.", "It ended."]
    assert reasons(book)["hidden"].strip() == "Secret."


@pytest.mark.parametrize("sheet", SHOWING_PLACED)
def test_a_selector_that_fits_elsewhere_hides_nothing(sheet: str, tmp_path: Path) -> None:
    html = f"<html class='js'><head><style>{sheet}</style></head><body>{PLACED}</body></html>"
    assert spoken(read_text(tmp_path, "x.html", html)) == ["One", "It began.", "Secret.", "It ended."]


@pytest.mark.parametrize("rule", [".a .b p{n}", "p ~ p.c{n}", "p:nth-child({n}n+1)", "p:not(.c{n}) > p"])
def test_many_selectors_of_several_parts_are_quick(rule: str) -> None:
    root = html.document_fromstring("".join(f"<p class='c{n}'>A</p>" for n in range(800)))
    sheet = "".join(rule.replace("{n}", str(n)) + "{display:none}" for n in range(300))
    began = time.process_time()
    mark_hidden(root, [sheet])
    assert time.process_time() - began < 5


@pytest.mark.parametrize("sheet", HIDING)
def test_a_style_of_the_page_hides(sheet: str, tmp_path: Path) -> None:
    html = f"<html><head><style>{sheet}</style></head><body>{BODY}</body></html>"
    book = read_text(tmp_path, "x.html", html)
    assert spoken(book) == ["It began.", "It ended."]
    assert reasons(book)["hidden"] == "Secret."


@pytest.mark.parametrize("sheet", SHOWING)
def test_other_styles_hide_nothing(sheet: str, tmp_path: Path) -> None:
    html = f"<html><head><style>{sheet}</style></head><body>{BODY}</body></html>"
    assert spoken(read_text(tmp_path, "x.html", html)) == ["It began.", "Secret.", "It ended."]


@pytest.mark.parametrize("rule", ["p{{{}}}", "p{{display:block}}" * 8000, "p, " * 8000 + "p{{{}}}"])
def test_many_declarations_take_no_longer_for_each_element(rule: str, tmp_path: Path) -> None:
    root = html.document_fromstring("".join(f"<p class='c{n}'>A</p>" for n in range(8000)))
    began = time.process_time()
    mark_hidden(root, [rule.format("display:block;" * 8000) + "b{display:none}"])
    assert time.process_time() - began < 3


def test_what_is_made_visible_inside_a_hidden_text_is_spoken(tmp_path: Path) -> None:
    sheet = "p.poem{visibility:hidden} p.poem span{visibility:visible} .q{display:none}"
    body = (
        '<p class="poem">A <span>lamp.</span></p><p class="poem">Secret.</p><div class="q">No. <span>No.</span></div>'
    )
    html = f"<html><head><style>{sheet}</style></head><body>{body}</body></html>"
    assert spoken(read_text(tmp_path, "x.html", html)) == ["A lamp."]
    body = '<p style="visibility:hidden">A <span style="visibility:visible">lamp.</span></p><p>It.</p>'
    assert spoken(read_text(tmp_path, "x.html", body)) == ["A lamp.", "It."]


@pytest.mark.parametrize(
    "style", ['<style media="print">.x{display:none}</style>', "<noscript><style>.x{display:none}</style></noscript>"]
)
def test_styles_for_other_readers_hide_nothing(style: str, tmp_path: Path) -> None:
    html = f"<html><head>{style}</head><body>{BODY}</body></html>"
    assert "Secret." in spoken(read_text(tmp_path, "x.html", html))


def test_an_elements_own_style_comes_first(tmp_path: Path) -> None:
    body = BODY.replace('id="z"', 'id="z" style="display:block"')
    for sheet, is_spoken in ((".x{display:none}", True), (".x{display:none!important}", False)):
        html = f"<html><head><style>{sheet}</style></head><body>{body}</body></html>"
        assert ("Secret." in spoken(read_text(tmp_path, "x.html", html))) == is_spoken


def epub(tmp_path: Path, sheet: str | None, others: dict[str, str] | None = None) -> Path:
    head = '<head><title/><link rel="stylesheet" type="text/css" href="../s%20t/x.css"/></head>'
    page = f'<html xmlns="http://www.w3.org/1999/xhtml">{head}<body>{BODY}</body></html>'
    extra = ({"s t/x.css": sheet} if sheet is not None else {}) | (others or {})
    return make_epub(tmp_path / "x.epub", {"p/a.xhtml": page}, entry("A", "p/a.xhtml"), extra=extra)


def test_a_style_sheet_of_an_epub_hides(tmp_path: Path) -> None:
    book = read_chapters(epub(tmp_path, "\ufeff.x{display:none}"))
    assert spoken(book) == ["It began.", "It ended."]
    assert reasons(book) == {"hidden": "Secret."}


def test_a_style_sheet_that_is_lost_or_damaged_hides_nothing(tmp_path: Path) -> None:
    assert read_chapters(epub(tmp_path, None)).remarks == ()
    path = epub(tmp_path, ".x{display:none}")
    damage(path, "s t/x.css")
    book = read_chapters(path)
    assert "Secret." in spoken(book)
    assert [remark.startswith("The style sheet 'OEBPS/s t/x.css' is left out: ") for remark in book.remarks] == [True]


@pytest.mark.parametrize(
    "sheets, is_hidden",
    [
        ({"x.css": "@import 'y.css';", "y.css": ".x{display:none}"}, True),
        (
            {
                "x.css": '@charset "utf-8"; @import url("q/y.css") screen;',
                "q/y.css": "@import '../z.css';",
                "z.css": ".x{display:none}",
            },
            True,
        ),
        ({"x.css": "@import url(y.css); .x{display:block}", "y.css": ".x{display:none}"}, False),
        ({"x.css": "@import url(y.css); .x{display:none}", "y.css": ".x{display:block}"}, True),
        ({"x.css": "p{color:red} @import url(y.css);", "y.css": ".x{display:none}"}, False),
        ({"x.css": "@import url(y.css) print;", "y.css": ".x{display:none}"}, False),
        ({"x.css": "@import url(y.css) (min-width: 40em);", "y.css": ".x{display:none}"}, False),
        ({"x.css": "@import url(y.css) layer(base);", "y.css": ".x{display:none}"}, False),
        ({"x.css": "@import 'y.css';", "y.css": "@import 'x.css'; .x{display:none}"}, True),
        ({"x.css": "@import 'x.css'; @import 'lost.css'; .x{display:none}"}, True),
        ({"x.css": "@import 'http://example.com/y.css'; .x{display:none}"}, True),
    ],
)
def test_a_style_sheet_imports_others(sheets: dict[str, str], is_hidden: bool, tmp_path: Path) -> None:
    extra = {f"s t/{name}": sheet for name, sheet in sheets.items()}
    path = epub(tmp_path, None, extra)
    assert ("Secret." not in spoken(read_chapters(path))) == is_hidden


def test_a_sheet_in_a_page_imports_others(tmp_path: Path) -> None:
    page = f"<html xmlns='http://www.w3.org/1999/xhtml'><head><title/><style>@import 'y.css';</style></head><body>{BODY}</body></html>"
    extra = {"p/y.css": ".x{display:none}"}
    path = make_epub(tmp_path / "x.epub", {"p/a.xhtml": page}, entry("A", "p/a.xhtml"), extra=extra)
    assert spoken(read_chapters(path)) == ["It began.", "It ended."]


def test_sheets_that_import_many_others_are_read_in_little_time(tmp_path: Path) -> None:
    names = [f"y{n}.css" for n in range(60)]
    every = "".join(f"@import '{name}';" for name in names)
    path = epub(tmp_path, None, {f"s t/{name}": every for name in ("x.css", *names)})
    start = time.process_time()
    assert "Secret." in spoken(read_chapters(path))
    assert time.process_time() - start < 5


def test_hidden_text_inside_a_sentence_leaves_its_neighbours_together(tmp_path: Path) -> None:
    html = '<html><head><style>.n{visibility:hidden}</style></head><body><p>It <b>won<span class="n">12</span>der</b>ed.</p></body></html>'
    assert spoken(read_text(tmp_path, "x.html", html)) == ["It wondered."]


# A secret whose class is a number, whose other classes hold a sign, and whose title holds a quotation mark.
ODD = '<p>It began.</p><p class="x y 123 a&amp;b" title="q\'s">Secret.</p><p>It ended.</p>'


@pytest.mark.parametrize(
    ("sheet", "is_spoken"),
    [
        (r".\31 23{display:none}", False),
        (r".\31 2{display:none}", True),
        (r".a\26 b{display:none}", False),
        (".x/**/.y{display:none}", False),
        (".x/**/.q{display:none}", True),
        (r"[title='q\'s']{display:none}", False),
        (".x{background:url(a;b}c);display:none}", False),
        (".x{display:none} .x{background:url(a;b}c);display:block}", True),
        (".q{color:red}} .q{display:none} .x{display:none}", False),  # a stray bracket belongs to the next rule,
        (".q{color:red}} .x{display:none}", True),  # which is wrong therefore
        ("{.x{display:none}}", True),
    ],
)
def test_a_sheet_is_read_as_browsers_read_it(sheet: str, is_spoken: bool, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.html", f"<html><head><style>{sheet}</style></head><body>{ODD}</body></html>")
    assert spoken(book) == ["It began.", *["Secret."] * is_spoken, "It ended."]


def hidden(body: str, sheet: str) -> list[str]:
    """The texts of the elements that a sheet hides, and that the search for them takes a few seconds at most."""
    root = html.document_fromstring(body)
    began = time.process_time()
    mark_hidden(root, [sheet])
    assert time.process_time() - began < 10
    return [element.text_content() for element in root.iter() if element.get(SKIP_ATTRIBUTE)]


def none_of(count: int, number: int = 0) -> str:
    return f"p:not({','.join(f'.c{number}-{n}' for n in range(count))})"


def test_a_walk_over_many_elements_ends_and_hides_nothing_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "MOST_STEPS", selectors.MOST_STEPS // 5)
    sheet = "".join(f".k{n} ~ #z{{display:block}}" for n in range(60)) + "#z{display:none}"
    assert len(hidden("<p id='z'>A</p>" * 20_000, sheet)) < 20_000


@pytest.mark.parametrize("count", [120, 401])
def test_long_lists_of_classes_end_and_hide_nothing_in_doubt(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "MOST_STEPS", selectors.MOST_STEPS // 5)
    sheet = "".join(none_of(count, number) + "{display:block}" for number in range(50)) + "p{display:none}"
    assert hidden("<p>A</p>" * 1000, sheet) == []


def test_a_selector_too_large_to_be_read_shows_but_does_not_hide() -> None:
    body, large = "<p>A</p><p class='x'>B</p>", none_of(401)
    assert hidden(body, f".x{{display:none}} {large}{{display:none}}") == ["B"]
    assert hidden(body, f".x{{display:none}} {large}{{display:block}}") == []
    outer = ", ".join(f".k{n}" for n in range(401))
    assert hidden(body, f".x{{display:none}} {outer}{{ &.x{{display:block}} }}") == []
    assert hidden(body, "p{display:none}" + ":not(" * 5000 + "a{display:block}") == ["A", "B"]  # it has no end


def test_a_selector_of_very_many_parts_is_read() -> None:
    body = "<div>" * 250 + "<p>A</p>"
    for joint in (" ", ">"):
        assert hidden(body, joint.join(["div"] * 199) + f"{joint}p{{display:none}}") == ["A"]
    assert len(hidden("<p>A</p>" * 300, "~".join(["p"] * 200) + "{display:none}")) == 101


@pytest.mark.parametrize("style", ["display:none", "visibility:hidden"])
def test_text_is_spoken_when_the_work_on_a_page_ends_early(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "<p class='x'>A</p>" * 100 + "<p class='x'><b class='y'>B</b></p>"
    sheet = f".x{{{style}}} .x .y{{display:inline;visibility:visible}}"
    assert hidden(body, sheet) == ["A"] * 100 + ["B"] * (style == "display:none")
    monkeypatch.setattr(selectors, "MOST_STEPS", 50)
    # What stands in a text that is out of sight may be made visible later, so all of it is spoken.
    found = len(hidden(body, sheet))
    assert found < 100
    assert (found > 0) == (style == "display:none")


@pytest.mark.parametrize("inner", ["a{}display:none;", "a{display:none}"])
def test_a_sheet_with_too_much_to_read_hides_nothing(inner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(styles, "MOST_TOKENS_READ", 40_000)
    sheet = "p{display:none}" + ",".join(["p"] * 100_000) + "{" + inner * 25_000 + "}"
    assert hidden("<p>A</p>", sheet) == []


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("<b>A</b>" + "<!-- -->" * 100_000 + "<p>A</p>", "a.k{n} + p"),
        (f"<p class='{' '.join(f'k{n}' for n in range(20_000))}'>A</p>", "p:not(.k{n})"),
        (f"<p title='{'a' * 200_000}'>A</p>", "p[title*=a{n}b]"),
        ("<p>" + "<b></b>" * 50_000, "p:empty:not(.a{n})"),
    ],
)
def test_large_elements_are_not_looked_at_for_each_rule(body: str, rule: str) -> None:
    assert hidden(body, "".join(rule.replace("{n}", str(n)) + "{display:none}" for n in range(5000))) == []
