"""What an epub says of itself: date and series, in the forms of EPUB 2, EPUB 3 and Calibre."""

from pathlib import Path

import pytest

from tests.books import entry, make_epub
from triforce_tts.books.read import read_chapters


@pytest.mark.parametrize(
    ("metadata", "date", "series", "number"),
    [
        ("<dc:date>1892-10-14T00:00:00Z</dc:date>", "1892-10-14", "", ""),
        ("<dc:date>1892</dc:date>", "1892", "", ""),
        ("<dc:date>October 1892</dc:date><dc:date>1892-13-01</dc:date>", "1892", "", ""),
        ('<dc:date opf:event="modification">2020-01-01</dc:date><dc:date opf:event="publication">1892</dc:date>', "1892", "", ""),
        ('<meta name="calibre:series" content="Holmes"/><meta name="calibre:series_index" content="3.0"/>', "", "Holmes", "3"),
        ('<meta name="calibre:series" content="Holmes"/><meta name="calibre:series_index" content="10"/>', "", "Holmes", "10"),
        ('<meta name="calibre:series_index" content="3.0"/>', "", "", ""),
        (
            '<meta property="belongs-to-collection" id="c">Holmes</meta><meta refines="#c" property="collection-type">series</meta>'
            '<meta refines="#c" property="group-position">2.5</meta>', "", "Holmes", "2.5",
        ),
        (
            '<meta property="belongs-to-collection" id="c">Classics</meta><meta refines="#c" property="collection-type">set</meta>'
            '<meta property="belongs-to-collection" id="d">Holmes</meta><meta refines="#d" property="group-position">x</meta>',
            "", "Holmes", "",
        ),
    ],
)  # fmt: skip
def test_date_and_series(metadata: str, date: str, series: str, number: str, tmp_path: Path) -> None:
    path = make_epub(tmp_path / "a.epub", {"a.xhtml": "<p>It rained.</p>"}, entry("One", "a.xhtml"), metadata=metadata)
    about = read_chapters(path).about
    assert (about.date, about.series, about.number) == (date, series, number)
