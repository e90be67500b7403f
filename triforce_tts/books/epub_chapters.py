"""Reads an epub into chapters: which of its pages are spoken, and where its table of contents divides them."""

from dataclasses import replace
from pathlib import Path

from triforce_tts.errors import TextError
from triforce_tts.text.phonemes import Lexicon
from triforce_tts.wording import counted

from .chapter_links import mark_chapter_links
from .chapters import ChapterBook, ReadOptions
from .contents import Contents, read_contents
from .division import assemble, joined_pages
from .draft import Draft
from .drawn_pages import make_page
from .epub import Package, open_epub
from .epub_about import read_about
from .epub_judge import Judge, Page, page_of
from .epub_marks import find_marks
from .epub_sheets import hide
from .html_blocks import PageReader
from .html_rules import name_of, source_parts
from .html_typed import unwrap_prose
from .listings import is_of_gutenberg, withdraw_listings, withdraw_pages, without_withdrawn
from .mathml import write_signs
from .note_index import mark_notes
from .outside import withdraw_outside
from .paragraph_headings import mark_titles, name_paragraphs
from .pronunciations import BookLexicon, read_lexicons, with_readings
from .pull_quotes import mark_pull_quotes
from .title_pages import withdraw_printer, withdraw_title_page
from .typed_speakers import mark_speakers

_NAMED = 5  # a remark names at most so many lost pages


def read_epub_chapters(path: Path, options: ReadOptions) -> ChapterBook:
    """The chapters of an epub.

    Raises:
        TextError: it cannot be read, is no epub, is damaged or copy-protected, or is larger than any book.
    """
    with open_epub(path) as files:
        package = files.package()
        contents = read_contents(files, package)
        pages: list[Page] = []
        names: set[str] = set()
        lost: list[str] = []
        instead: dict[str, str] = {}
        for reference in package.spine:
            listed, name = package.page_names(reference.get("idref"))
            instead[listed] = name
            if name in names:
                continue
            root = files.page(name)
            if root is None:
                lost.append(listed or reference.get("idref", ""))
                continue
            if name_of(root) == "svg":
                make_page(root)
            names.add(name)
            pages.append(page_of(name, root, reference.get("linear", "yes").lower() != "no"))
        contents = contents.moved(instead)
        for page in pages:
            if page.name in files.cut:
                raise TextError(f"{path}: {page.name!r} in it has elements more than 255 deep, which no book has; give the text as .txt")  # fmt: skip
        named = [(page.name, page.root) for page in pages]
        unstyled = hide(files, named)
        lexicon, faults, left_out = read_lexicons(files, named) if options.phones else (BookLexicon(), [], [])
    source = ["".join(source_parts(page.root)) for page in pages]
    lexicon_of_words = Lexicon()
    for page in pages:
        mark_pull_quotes(page.root)
        mark_chapter_links(page.root)
        write_signs(page.root)
        unwrap_prose(page.root, lexicon_of_words)
    mark_notes(named, unlinked=options.notes == "skip")
    mark_titles([root for _, root in named])
    mark_speakers([root for _, root in named])
    book, own_faults = _divided(path, options, package, contents, pages, source)
    book = replace(book, remarks=(*book.remarks, *contents.faults, *unstyled, *_lost_pages(lost)))
    return with_readings(book, lexicon, [*faults, *own_faults], left_out)


def _lost_pages(names: list[str]) -> list[str]:
    """A remark on pages that the book lists but does not have, so that they cannot be spoken."""
    if not names:
        return []
    more = " and others" if len(names) > _NAMED else ""
    which = "it is missing, empty or no text" if len(names) == 1 else "they are missing, empty or no texts"
    return [
        f"{counted(len(names), 'page')} that the book lists cannot be spoken, because {which}: "
        f"{', '.join(map(repr, names[:_NAMED]))}{more}."
    ]


def _divided(
    path: Path, options: ReadOptions, package: Package, contents: Contents, pages: list[Page], source: list[str]
) -> tuple[ChapterBook, list[str]]:
    """The book, and the faults of the pronunciations in its pages."""
    draft = Draft()
    reader = PageReader(draft, options)
    about = read_about(package, contents)
    judge = Judge(about, contents, pages)
    starts: dict[str, int] = {}
    for page in pages:
        starts[page.name] = len(draft.blocks)
        reason = judge.reason(page)
        if reason is None or (options.notes != "skip" and _holds_notes(page)):
            reader.read(page.name, page.root)
        else:
            reader.skip(page.name, page.root, reason)
    name_paragraphs(draft)
    gone = withdraw_listings(draft)
    withdraw_printer(draft)
    gone |= withdraw_title_page(draft, about, is_gutenberg=is_of_gutenberg(draft))
    marks = without_withdrawn(draft, find_marks(draft, contents, pages, judge, starts), gone)
    pages_begin = frozenset(draft.first_filled(start) for start in starts.values())
    marks = without_withdrawn(draft, marks, withdraw_outside(draft, marks, about, beyond=pages_begin))
    begins = {mark.start for mark in marks}
    numbers = withdraw_pages(draft, begins)
    joined_pages(draft, sorted([*starts.values(), *numbers]), begins)
    return assemble(draft, marks, options, about, "".join(source), str(path)), reader.faults


def _holds_notes(page: Page) -> bool:
    return bool(page.types & {"endnotes", "footnotes", "rearnotes"}) or any(
        element.get("triforce-note") for element in page.root.iter("{*}*")
    )
