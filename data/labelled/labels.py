"""The labelled recordings of one or more folders, each with a key of its own."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from triforce_tts.errors import ShardError
from triforce_tts.textfiles import UnreadableText

from ..common.clips import MANIFEST, Found, Recording
from ..common.manifest import read_manifest
from ..common.names import is_folder, make_key, printable, with_checksum
from .corpora import BAD_LIST, Tree
from .tables import Columns

TWICE = "listed twice"
_EXPECTED = f"{MANIFEST}, x.wav + x.txt pairs, or a tree of LJSpeech, LibriSpeech or LibriTTS"


def find_recordings(folders: Sequence[Path], columns: Columns | None = None) -> Found:
    """The labelled recordings under ``folders``, sorted by id; ``columns`` are those of every ``metadata.csv``.

    Ids that two folders share, or that give the same key, are told apart by the folders' names and by checksums.

    Raises:
        ShardError: a folder is missing or holds nothing that is known, or a table's columns are not clear.
    """
    whole = Found()
    trees: dict[Path, list[Recording]] = {}
    for folder in folders:
        if not is_folder(folder):
            raise ShardError(f"{printable(str(folder))}: no such folder; expected one with {_EXPECTED}")
        place = Path(os.path.realpath(folder))
        if place in trees:
            raise ShardError(f"{folder}: this folder is given twice; give it once")
        found = _read_folder(folder, columns)
        if not (found.recordings or found.drops):
            raise ShardError(f"{folder}: no labelled recordings; expected {_EXPECTED}")
        trees[place] = found.recordings
        whole.drops += found.drops
        whole.told += found.told
        whole.tables += found.tables
    if columns and not whole.tables:
        raise ShardError(f"--columns {','.join(columns)}: no metadata.csv was found that it could be for; leave it out")
    whole.recordings = _keyed(_once(trees, whole))
    return whole


def _read_folder(folder: Path, columns: Columns | None) -> Found:
    found = Found()
    manifest = folder / MANIFEST
    if not os.path.lexists(manifest):
        Tree(folder, columns, found).read()
        return found
    try:
        read_manifest(manifest, found)
    except UnreadableText as error:
        found.drop(manifest, BAD_LIST, error)
    return found


def _once(trees: Mapping[Path, Sequence[Recording]], found: Found) -> list[tuple[str, Recording]]:
    """The recordings with the names of their trees; the same name in a tree and the same file in two count once."""
    kept: list[tuple[str, Recording]] = []
    files: dict[str, str] = {}  # by real path: the tree that has it
    for tree, label in zip(trees, _labels(list(trees)), strict=True):
        names: dict[str, str] = {}
        for recording in trees[tree]:
            name = recording.name or recording.id
            file = os.path.realpath(recording.audio)
            if name in names:
                found.drop(name, TWICE, f"{recording.audio}, and as {names[name]}")
            elif files.setdefault(file, label) != label:
                found.drop(name, TWICE, f"{recording.audio} is in {files[file]} too")
            else:
                names[name] = recording.audio
                kept.append((label, recording))
    return kept


def _labels(trees: Sequence[Path]) -> list[str]:
    """A name for each folder: as much of the end of its path as no other has."""
    size = 1
    while True:
        labels = ["/".join(tree.parts[-size:]) for tree in trees]
        if len(set(labels)) == len(labels):
            return labels
        size += 1


def _keyed(named: Sequence[tuple[str, Recording]]) -> list[Recording]:
    """The recordings with keys that no two share, sorted by them."""
    choices = []
    for label, recording in named:
        name = recording.name or recording.id
        longer = f"{label}/{name}"
        choices.append((make_key(name), make_key(longer), with_checksum(make_key(longer), longer)))
    level = [0] * len(choices)
    while True:
        keys = [choice[step] for choice, step in zip(choices, level, strict=True)]
        counts = Counter(keys)
        shared = [i for i, key in enumerate(keys) if counts[key] > 1 and level[i] < 2]
        if not shared:
            break
        for i in shared:
            level[i] += 1
    found = [replace(recording, id=key) for (_, recording), key in zip(named, keys, strict=True)]
    return sorted(found, key=lambda recording: recording.id)
