"""Pronunciation lexicons of the W3C (PLS 1.0): XML, in the phonetic alphabet, X-SAMPA or ARPAbet.

The file is read without entities, without a document type, and without the network.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from triforce_tts.errors import TextError
from triforce_tts.text.arpabet import parse_phones
from triforce_tts.text.ipa import phones_of_ipa, phones_of_x_sampa

_NAMESPACE = "{http://www.w3.org/2005/01/pronunciation-lexicon}"
_ALPHABETS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "ipa": phones_of_ipa,
    **dict.fromkeys(("x-sampa", "xsampa", "sampa"), phones_of_x_sampa),
    **dict.fromkeys(("arpabet", "x-arpabet", "cmu", "x-cmu"), parse_phones),
}
Entry = tuple[str, tuple[str, ...], str]  # a word, its phones, and the place in the file for messages


def phones_of(text: str, alphabet: str) -> tuple[str, ...]:
    """The ARPAbet phones of a pronunciation in one of the alphabets that are known; words may have spaces between them.

    Raises:
        TextError: the alphabet is not known, or a sign of it has no English sound.
    """
    convert = _ALPHABETS.get(alphabet.lower())
    if convert is None:
        raise TextError(f"the alphabet '{alphabet[:30]}' is not known, expected ipa, x-sampa or arpabet")
    return convert(text if convert is parse_phones else "".join(text.split()))


def read_pls(
    content: bytes, path: Path, lookup: Callable[[str], tuple[str, ...] | None], faults: list[str] | None = None
) -> Iterator[Entry]:
    """The entries of a lexicon; each spelling of a lexeme is one. Of several pronunciations the preferred one counts.

    Args:
        content: the content of the file.
        path: the path of the file, for messages.
        lookup: gives the phones of a known word, from which aliases are made.
        faults: takes what is wrong with an entry, which is then left out.

    Raises:
        TextError: it is no PLS lexicon of English, or, without ``faults``, an entry cannot be converted; the line is named.
    """
    root = _parse(content, path)
    language = next((value for name, value in root.attrib.items() if name.rpartition("}")[2] == "lang"), "en")
    if not language.lower().startswith("en"):
        raise TextError(f"{path}: the lexicon is for the language '{language[:20]}', expected English")
    default = root.get("alphabet", "ipa")
    for lexeme in root.iter(f"{_NAMESPACE}lexeme", "lexeme"):
        place = f"{path}:{lexeme.sourceline}"
        words = [_text(child) for child in _children(lexeme, "grapheme")]
        try:
            if not words:
                raise TextError(f"{place}: a lexeme has no grapheme, the spelling of the word; add one")
            phones = _phones(lexeme, default, lookup, f"{place}: '{words[0][:40]}'")
        except TextError as error:
            if faults is None:
                raise
            faults.append(str(error))
            continue
        for word in words:
            yield word, phones, place


def _parse(content: bytes, path: Path) -> Any:
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise TextError(f"{path}: this is no XML ({error.msg}); expected a PLS lexicon of the W3C") from error
    if root.getroottree().docinfo.doctype:
        raise TextError(f"{path}: it has a document type (DOCTYPE), which is not read; remove it")
    if root.tag not in (f"{_NAMESPACE}lexicon", "lexicon"):
        raise TextError(f"{path}: the XML is a '{str(root.tag)[:60]}', expected a PLS lexicon of the W3C")
    return root


def _phones(lexeme: Any, default: str, lookup: Callable[[str], tuple[str, ...] | None], place: str) -> tuple[str, ...]:
    """The phones of the chosen pronunciation of ``lexeme``; errors begin with ``place``."""
    try:
        return _chosen(lexeme, default, lookup)
    except TextError as error:
        raise TextError(f"{place}: {error}") from error


def _chosen(lexeme: Any, default: str, lookup: Callable[[str], tuple[str, ...] | None]) -> tuple[str, ...]:
    spoken = [*_children(lexeme, "phoneme"), *_children(lexeme, "alias")]
    if not spoken:
        raise TextError("no pronunciation; add a phoneme or an alias")
    chosen = next((child for child in spoken if child.get("prefer") == "true"), spoken[0])
    if chosen.tag.endswith("alias"):
        return _alias(_text(chosen), lookup)
    return phones_of(_text(chosen), chosen.get("alphabet", default))


def _alias(text: str, lookup: Callable[[str], tuple[str, ...] | None]) -> tuple[str, ...]:
    phones: list[str] = []
    for word in text.split():
        word_phones = lookup(word)
        if word_phones is None:
            raise TextError(f"the word '{word[:40]}' of its alias is in no dictionary; give a phoneme")
        phones += word_phones
    if not phones:
        raise TextError("its alias is empty; give a word or a phoneme")
    return tuple(phones)


def _children(lexeme: Any, name: str) -> list[Any]:
    return [child for child in lexeme if child.tag in (f"{_NAMESPACE}{name}", name)]


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())
