"""Tells what stands around the article of a page, and the lines between its title and its text: by classes and by form."""

import re
from itertools import islice, takewhile
from typing import Any

from .chapters import About, count_words, letters
from .draft import Draft
from .html_rules import HEADINGS, classes_of, has_heading, name_of, types_of
from .notes import text_in
from .numbered import numbered
from .plain_headings import is_prose, is_title_case

# The words in classes and identifiers of what stands around an article, or interrupts it.
_AROUND = re.compile(
    r"(?:^|(?<!has)(?<!with)(?<!without)(?<!no)[-_]|\s)(?:ad|ads|advert\w*|sponsor\w*|promo\w*|banner|cookie\w*|consent|gdpr|popup|modal|share|sharing|social|"
    r"related\w*|recommend\w*|newsletter|subscri\w*|signup|paywall|comments?|comment-list|disqus|breadcrumbs?|menu|navbar|"
    r"sidebar|pull-?quote|skip-link|toolbar|topbar|pagination|pager|author-bio|masthead|trending|most-?(?:read|popular|viewed)|"
    r"read-(?:more|next)|claps?|toc[-_](?:container|wrapper|box)|sitesub)(?:$|[-_\s])",
    re.IGNORECASE,
)
# Those of what says who wrote an article, and when. A paragraph of the article may have such a class, too, so they hold for few words.
_BRIEF = re.compile(
    r"(?:^|[-_\s])(?:byline|dateline|timestamp|reading-time|readtime|read-time|tags|meta|posted-on|post-date|pub-?date|"
    r"author-(?:line|info|box|card|name))(?:$|[-_\s])",
    re.IGNORECASE,
)
# Those of buttons and of lines below a post, which hold for few words without a heading.
_BUTTONS = re.compile(
    r"(?:^|[-_\s])(?:(?:post|entry|article)-footer|post-ufi|button-wrapper|wp-block-buttons?|like-button(?:-container)?|jump-to-\w+)(?:$|[-_\s])",
    re.IGNORECASE,
)
_MOST_BRIEF = 30  # the most words of what ``_BRIEF`` names
_ROLES = frozenset(["navigation", "banner", "contentinfo", "complementary", "search", "dialog", "alertdialog", "menu"])
_NAMES = frozenset(["nav", "aside", "footer", "form", "dialog"])
_IDENTIFIERS = frozenset(["footer", "site-footer", "page-footer", "revnumber", "revdate", "revremark"])
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_DATE = rf"(?:(?:\w+day|mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)\.?,?\s+)?(?:\d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH}|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?),?\s+\d{{4}}\b"
_NAME = r"(?-i:[A-Z\d@#])"  # the begin of a name or a number; a line such as "Published in secret" goes on with another word
_BYLINE = re.compile(
    rf"{_DATE}(?:\W*|\s*[^\w\s:].*|\s+(?:(?:at|by|in|on)\s.*|{_NAME}.*|(?:first |last )?(?:posted|published|updated)\b.*))"
    rf"|(?:first |last )?(?:posted|published|updated)\W*"
    rf"|(?:first |last )?(?:posted|published|updated):?\s+(?:(?:on|at|in)\s+(?:the\s+)?)?(?:{_NAME}.*|(?:by|an?|just|today|yesterday|online)\b.*)"
    r"|\d+\s*min(?:ute)?s?\s+read\W*(?:\s\W.*)?|(?!1\.?$)[\d.,]+\s?[KM]?|share|follow|listen|save|print|subscribe|comments?|\d+ (?:comments?|shares?|views?)",
    re.IGNORECASE | re.DOTALL,
)
# A name and the time that reading takes: "Ada N.5 min read".
_MINUTES = re.compile(
    r"(?:[A-Z][\w.'’-]{0,30}\s){0,4}[A-Z][\w.'’-]{0,30}?\W{0,3}\d{1,3}\s*(?i:min(?:ute)?s?\s+read)(?:\W.*)?", re.DOTALL
)
_SEE_ALSO = re.compile(r"(?:see also|external links|related (?:pages|articles))\W*", re.IGNORECASE)
_MOST_LINK = 12  # the most words of an item of a list of links
_SENTENCE = re.compile(r"[a-z]{4,}[.!?][\"”’')\]]*$")
BY = re.compile(r"(?:(?:words|written|posted|story) )?by\s+", re.IGNORECASE)
_MOST_BYLINE = 14  # the most words of a line that says who wrote an article, or when


def is_around(element: Any, most_letters: float, title: Any = None) -> bool:
    """Whether an element stands around an article or interrupts it.

    Notes belong to the article; a class such as "ad-free" may also stand on what holds the article itself, which has more than
    ``most_letters``. Comments may be longer, but do not hold ``title``, the first heading of the article: "comments-open" stands on
    what holds both.
    """
    name = name_of(element)
    words = f"{element.get('class', '')} {element.get('id', '')}"
    if types_of(element) & {"footnote", "footnotes", "endnote", "endnotes"} or "note" in words.lower():
        return False
    if name in ("h1", "html"):
        return False
    if name in _NAMES or element.get("role", "") in _ROLES or element.get("id") in _IDENTIFIERS:
        return True
    if name == "div" and element.get("title") in ("header", "footer"):  # LibreOffice writes those of its pages so
        return True
    if name == "table" and "infobox" in classes_of(element):  # the table of facts of an encyclopedia
        return True
    if match := _AROUND.search(words):
        is_short = len(text_in(element)) <= most_letters
        is_comments = "comment" in match[0].lower() and title is not None and element not in title.iterancestors()
        return is_short or is_comments
    is_button = bool(_BUTTONS.search(words)) and not has_heading(element)
    if not (is_button or _BRIEF.search(words)) or count_words(text_in(element)) > _MOST_BRIEF:
        return False
    return is_button or not _holds_title(element)


def _holds_title(element: Any) -> bool:
    """Whether an element holds the title of a page, or a heading that counts a chapter."""
    heads = islice(element.iter(*HEADINGS), _MOST_BRIEF)
    return any(name_of(head) == "h1" or numbered(text_in(head)) in ("part", "chapter") for head in heads)


def withdraw_byline(draft: Draft, about: About) -> None:
    """Skip the lines between the title of an article and its text that say who wrote it, when, and how long it is."""
    filled = [block for block in draft.blocks if not block.is_empty]
    title = next((n for n, block in enumerate(filled) if block.kind == "heading"), len(filled))
    for block in filled[title + 1 :]:
        if is_prose(block.text):
            break
        text = " ".join(block.text.split())
        if block.kind not in ("heading", "caption") and count_words(text) <= _MOST_BYLINE and _is_byline(text, about):
            draft.withdraw(block, "outside the article")


def withdraw_links(draft: Draft) -> None:
    """Skip the lists of other pages at the end of an article, below a heading such as "See also"."""
    filled = [block for block in draft.blocks if not block.is_empty]
    for number, block in enumerate(filled):
        if block.kind != "heading" or not _SEE_ALSO.fullmatch(block.text):
            continue
        own = list(takewhile(lambda other: other.kind != "heading", filled[number + 1 :]))
        if own and all(one.kind == "list" and count_words(one.text) <= _MOST_LINK for one in own):
            for one in (block, *own):
                draft.withdraw(one, "navigation")


def _is_byline(text: str, about: About) -> bool:
    match = BY.match(text)
    author = text[match.end() :] if match else text
    is_named = letters(author) in {letters(name) for name in (about.author, *about.author.split(", ")) if name}
    is_typed = bool(_BYLINE.fullmatch(text) or _MINUTES.fullmatch(text)) and not _SENTENCE.search(text)
    return is_named or is_typed or (author != text and is_title_case(author))
