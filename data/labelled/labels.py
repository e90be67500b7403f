"""The clips of one or more folders, each with a key of its own."""

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from triforce_tts.errors import ShardError
from triforce_tts.textfiles import UnreadableText

from ..common.clips import MANIFEST, Clip, Inventory
from ..common.manifest import read_manifest
from ..common.names import is_file, is_folder, make_key, printable, with_checksum
from .corpora import BAD_LIST, Tree
from .tables import Columns

TWICE = "listed twice"
_EXPECTED = (
    f"{MANIFEST}, x.wav + x.txt or x.lab pairs, or a tree of LJSpeech, LibriSpeech, LibriTTS, VCTK, Common Voice, Kaldi, "
    "NeMo or Hugging Face"
)


def find_clips(folders: Sequence[Path], columns: Columns | None = None) -> Inventory:
    """The clips under ``folders``, sorted by id; ``columns`` are the columns of every table.

    If two folders share an id, or two ids give the same key, the folder's name or a checksum is added to the key.

    Raises:
        ShardError: a folder is missing or holds no corpus of a known form, or the columns of a table are not clear.
    """
    whole = Inventory()
    trees: dict[Path, list[Clip]] = {}
    for folder in folders:
        if not is_folder(folder):
            found = "this is a file, give its folder" if is_file(folder) else "no such folder"
            raise ShardError(f"{printable(str(folder))}: {found}; expected one with {_EXPECTED}")
        place = Path(os.path.realpath(folder))
        if place in trees:
            raise ShardError(f"{folder}: this folder is given twice; give it once")
        inventory = _read_folder(folder, columns)
        if not (inventory.clips or inventory.drops):
            raise ShardError(f"{folder}: no labelled recordings; expected {_EXPECTED}")
        trees[place] = inventory.clips
        whole.drops += inventory.drops
        whole.notes += inventory.notes
        whole.tables += inventory.tables
    if columns and not whole.tables:
        raise ShardError(f"--columns {','.join(columns)}: no table was found that it could be for; leave it out")
    whole.clips = _keyed(_once(trees, whole))
    return whole


def _read_folder(folder: Path, columns: Columns | None) -> Inventory:
    inventory = Inventory()
    manifest = folder / MANIFEST
    if not os.path.lexists(manifest):
        Tree(folder, columns, inventory).read()
        return inventory
    try:
        read_manifest(manifest, inventory)
    except UnreadableText as error:
        inventory.drop(manifest, BAD_LIST, error)
    return inventory


def _once(trees: Mapping[Path, Sequence[Clip]], inventory: Inventory) -> list[tuple[str, Clip]]:
    """The clips, each with the label of its tree.

    A file counts once in all trees. A name counts once in a folder, and in a tree once for each speaker and text; what
    is left of one name in a tree, such as the clips of two tables that both count from 1, get their folders' labels.
    """
    unique: list[tuple[str, Clip]] = []
    files: dict[str, str] = {}  # the label of the tree that has a file, by the file's real path
    for tree, label in zip(trees, _labels(list(trees)), strict=True):
        names: defaultdict[str, dict[str, Clip]] = defaultdict(dict)  # the clips of a name by their real folders
        for clip in trees[tree]:
            name = clip.name or clip.id
            file = os.path.realpath(clip.audio)
            place = os.path.realpath(Path(clip.audio).parent)
            if earlier := _same(names[name], place, clip):
                inventory.drop(name, TWICE, f"{clip.audio}, and as {earlier.audio}")
            elif files.setdefault(file, label) != label:
                inventory.drop(name, TWICE, f"{clip.audio} is in {files[file]} too")
            else:
                names[name][place] = clip
        for places in names.values():
            for place, clip in places.items():
                unique.append((f"{label}/{_listed(place, tree, clip)}" if len(places) > 1 else label, clip))
    return unique


def _listed(place: str, tree: Path, clip: Clip) -> str:
    """The real folder ``place`` of a clip by its path below ``tree``, whatever links lead to, or else by the way to it."""
    folder = Path(clip.audio).parent
    for root in (folder, *folder.parents):
        if Path(os.path.realpath(root)) == tree:
            return str(folder.relative_to(root))
    return os.path.relpath(place, tree)


def _same(places: Mapping[str, Clip], place: str, clip: Clip) -> Clip | None:
    """The clip among those of one name, by their folders, that is ``clip`` in ``place`` once more."""
    said = (clip.speaker, clip.text)
    return places.get(place) or next((other for other in places.values() if (other.speaker, other.text) == said), None)


def _labels(trees: Sequence[Path]) -> list[str]:
    """A label for each folder: the shortest end of its path that no other folder shares."""
    size = 1
    while True:
        labels = ["/".join(tree.parts[-size:]) for tree in trees]
        if len(set(labels)) == len(labels):
            return labels
        size += 1


def _keyed(labelled: Sequence[tuple[str, Clip]]) -> list[Clip]:
    """The clips with unique keys, sorted by key."""
    choices = []
    for label, clip in labelled:
        name = clip.name or clip.id
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
    keyed = [replace(clip, id=key) for (_, clip), key in zip(labelled, keys, strict=True)]
    return sorted(keyed, key=lambda clip: clip.id)
