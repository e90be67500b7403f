"""Copy protection of an epub: what is protected is refused, and fonts alone do not matter."""

from pathlib import Path

import pytest

from tests.triforce_tts.books.test_epub import change_epub, page, write_epub
from triforce_tts.books.book import read_book
from triforce_tts.errors import TextError

FONTS = "http://ns.adobe.com/pdf/enc#RC"


AES = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"


def encryption(*files: tuple[str, str]) -> str:
    """The list of encrypted files, with the algorithm of each."""
    listed = "".join(
        '<enc:EncryptedData xmlns:enc="http://www.w3.org/2001/04/xmlenc#">'
        f'<enc:EncryptionMethod Algorithm="{algorithm}"/>'
        f'<enc:CipherData><enc:CipherReference URI="{file}"/></enc:CipherData></enc:EncryptedData>'
        for algorithm, file in files
    )
    return f'<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container">{listed}</encryption>'


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
    """A book may have obfuscated fonts and encrypted pictures."""
    path = write_epub(tmp_path / "x.epub", {"one": page("<p>It began.</p>")}, ["one"])
    change_epub(path, "META-INF/encryption.xml", None, listing)
    assert read_book(path).tokens == ["It", "began."]
