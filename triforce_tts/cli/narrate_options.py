"""The options of ``narrate`` that no other command has."""

from pathlib import Path
from typing import Annotated

import typer

Books = Annotated[
    list[str],
    typer.Argument(
        metavar="BOOK",
        help="An .epub, .txt, .md or .html file, a folder of them, or an article's URL; several with --feed.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        help="File to write: .m4b, .m4a, .mp3, .opus, .flac or .wav; or a folder for one file a chapter. "
        "Default: the book's name with .m4b."
    ),
]
List = Annotated[bool, typer.Option("--list", help="List the chapters and leave.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Plan, prove that no word is lost, print what would be spoken, and leave.")
]
Chapters = Annotated[str | None, typer.Option(help="Chapters to narrate, such as '3-7,9'; default: all.")]
Front = Annotated[bool, typer.Option("--front/--no-front", help="Narrate a dedication or a preface, or do not.")]
Notes = Annotated[str, typer.Option(help="Notes: skip, inline, or end (of the chapter).")]
Pictures = Annotated[bool, typer.Option("--pictures", help="Read the descriptions of pictures.")]
Speakers = Annotated[str, typer.Option(help="The names of a play's speakers: read or drop.")]
Pattern = Annotated[
    str | None, typer.Option(help="Regular expression of the lines that begin a chapter of a text file.")
]
Phones = Annotated[
    bool,
    typer.Option(
        "--book-phones/--no-book-phones",
        help="Speak the pronunciations that an epub brings (PLS lexicons, ssml:ph), or do not.",
    ),
]
CastOption = Annotated[
    Path | None,
    typer.Option(
        "--cast",
        help="Voices of speakers: YAML lines such as 'JACK: kathleen', 'chapter 3: me.wav', 'narrator: af_heart' (or a .tsv).",
    ),
]
Redo = Annotated[
    list[str] | None,
    typer.Option(help="Lines to speak anew, such as '17,42', or '42=What it should say.'; may be given again."),
]
Tries = Annotated[
    int | None, typer.Option(help="Tries of a line that a check finds wrong, 1 to 100; default: the preset's.")
]
Align = Annotated[
    bool | None,
    typer.Option(
        "--align/--no-align",
        help="Find each word in the sound, and words left out, said twice or swapped (pocketsphinx); default: the preset's.",
    ),
]
Recogniser = Annotated[
    str | None,
    typer.Option(
        help="Check what is heard: auto, tiny.en, pocketsphinx, a folder of Whisper's weights, or none; default: the preset's."
    ),
]
Master = Annotated[str, typer.Option(help="Level of the finished file: none, acx, or podcast.")]
ChapterFormat = Annotated[
    str | None, typer.Option("--format", help="Format of the files in the folder of --out; default: .mp3.")
]
CoverFile = Annotated[Path | None, typer.Option(help="A picture: JPEG, PNG, WebP or GIF; default: the book's own.")]
Title = Annotated[str | None, typer.Option(help="Title in place of the book's own.")]
Author = Annotated[str | None, typer.Option(help="Author in place of the book's own.")]
NarratorName = Annotated[str | None, typer.Option(help="Name of the narrator in the tags.")]
Credits = Annotated[
    bool, typer.Option("--credits", help="Speak title, author and narrator at the beginning and at the end.")
]
Series = Annotated[
    str | None, typer.Option(help="Series in the tags, such as 'Sherlock Holmes #3'; default: the book's own.")
]
Pronounce = Annotated[
    list[Path] | None,
    typer.Option(
        "--pronounce",
        "--lexicon",
        help="Pronunciations of your own, lines such as 'phonemes  F OW1 N IY2 M Z', or a .pls; may be repeated.",
    ),
]
Subtitles = Annotated[Path | None, typer.Option(help="Also write subtitles, a line a cue: .srt or .vtt.")]
Overlay = Annotated[
    Path | None, typer.Option(help="Also write an .epub to read along with: its text is highlighted as it is spoken.")
]
Feed = Annotated[
    Path | None,
    typer.Option(
        help="Folder of a podcast: each book becomes an episode there, and feed.xml lists them beside earlier ones."
    ),
]
FeedUrl = Annotated[
    str | None,
    typer.Option(help="Address of that folder on the web; default: the feed's own, or the folder as file: URL."),
]
AllowPrivate = Annotated[
    bool, typer.Option("--allow-private", help="Fetch articles from servers with private addresses, too.")
]
ProgressShown = Annotated[str, typer.Option(help="bar, json (lines on standard output), or none.")]
