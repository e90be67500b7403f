"""Pull quotes, which repeat a sentence of the text, are skipped with their reason."""

from pathlib import Path

import pytest

from tests.books import read_page, read_text, reasons, spoken

TEXT = "<p>It began. The lamp was lit before nine, and nobody saw it. He left.</p>"
REPEATED = "The lamp was lit before nine"


@pytest.mark.parametrize(
    "quote",
    [
        f'<aside class="pullquote"><p>{REPEATED}</p></aside>',
        f'<aside epub:type="pullquote">{REPEATED}!</aside>',
        '<aside role="doc-pullquote">The lamp, lit so early.</aside>',
        f'<div class="box pull-quote">“{REPEATED} … nobody saw it”</div>',
        f'<blockquote class="wp-block-pullquote"><p>{REPEATED}, and nobody saw it.</p><cite>Ada North</cite></blockquote>',
    ],
)
def test_a_pull_quote_is_skipped(quote: str, tmp_path: Path) -> None:
    book = read_page(tmp_path, TEXT + quote + "<p>The end.</p>")
    assert len(spoken(book)) == 2
    assert "lamp" in reasons(book)["pull quote"]


@pytest.mark.parametrize(
    "quote",
    [
        '<aside class="pullquote"><p>The lamp was never lit by anyone at all.</p></aside>',
        '<p class="pullquote">He left.</p>',
        f'<blockquote class="quote">{REPEATED}</blockquote>',
        f'<div class="pullquote"><p>{REPEATED}</p><p>A second sentence that stands nowhere else.</p></div>',
    ],
)
def test_what_is_no_repetition_is_spoken(quote: str, tmp_path: Path) -> None:
    book = read_page(tmp_path, TEXT + quote + "<p>The end.</p>")
    assert "pull quote" not in reasons(book)
    assert len(spoken(book)) > 2


def test_a_pull_quote_of_a_web_page_is_skipped(tmp_path: Path) -> None:
    figure = f'<figure role="doc-pullquote"><p>{REPEATED}</p></figure>'
    page = f"<html><body><article><h1>Lamps</h1>{TEXT}{figure}<p>The end.</p></article></body></html>"
    book = read_text(tmp_path, "x.html", page)
    assert spoken(book)[0] == "Lamps"
    assert reasons(book)["pull quote"].strip() == REPEATED


def test_two_pull_quotes_that_repeat_only_each_other_are_spoken(tmp_path: Path) -> None:
    quote = '<p class="pullquote">Remember me, she said to them.</p>'
    book = read_page(tmp_path, f"{TEXT}{quote}<p>The end.</p>{quote}")
    assert spoken(book).count("Remember me, she said to them.") == 2
