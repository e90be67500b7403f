"""The small data that every case starts from: a model, runs, shards, codes, recordings, a raw build, a book, a feed."""

import io
import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import soundfile as sf

from tests.clips import SPEECH

RATE = 8000
LABELLED = ("the cat sat on the mat", "six old hats saw a run", "a red mat and the cat")
RAW = ("--config", "podcast", "--set", "transcribe.engine=none", "--set", "screen.dnsmos=false",
       "--set", "sample_rate=16000", "--workers", "1")  # fmt: skip
NS = "http://www.w3.org/1999/xhtml"


def make_world(folder: Path, tiny: Path | None = None) -> Path:
    """Make all data in ``folder``. ``tiny`` is a folder that ``tests.corpus.tiny_model`` has filled before."""
    from tests.corpus import tiny_model

    folder.mkdir(parents=True, exist_ok=True)
    if tiny is None:
        tiny_model(folder)
    else:
        for part in ("model", "shards", "codes", "dvae", "gpt", "diffusion", "voice.wav"):
            copy = shutil.copy2 if (tiny / part).is_file() else shutil.copytree
            copy(tiny / part, folder / part)
    make_labelled(folder)
    make_raw(folder)
    victim = folder / "victim"
    (victim / "deep").mkdir(parents=True)
    (victim / "thesis.txt").write_text("years of work\n")
    (victim / "deep" / "photo.bin").write_bytes(bytes(range(256)))
    (victim / "train-000000.tar").write_bytes(b"somebody else's\n")
    (victim / "index.json").write_text('{"mine": true}\n')
    return folder


def make_labelled(folder: Path) -> None:
    """Labelled recordings in three layouts."""
    from triforce_tts.data.labelled import babble

    for layout in ("labelled", "lj/wavs", "listed"):
        (folder / layout).mkdir(parents=True)
    rows = []
    for number, text in enumerate(LABELLED):
        name = f"r{number}.wav"
        babble.speak(text, "low").save(folder / "labelled" / name)
        (folder / "labelled" / f"r{number}.txt").write_text(text + "\n")
        shutil.copy(folder / "labelled" / name, folder / "lj" / "wavs" / name)
        shutil.copy(folder / "labelled" / name, folder / "listed" / name)
        rows.append({"audio": name, "text": text, "speaker": "low", "license": "CC0", "source": "toy"})
    (folder / "lj" / "metadata.csv").write_text("".join(f"r{n}|{t}|{t}\n" for n, t in enumerate(LABELLED)))
    lines = [json.dumps({"id": f"r{n}", **row}) + "\n" for n, row in enumerate(rows)]
    (folder / "listed" / "manifest.jsonl").write_text("".join(lines))


def make_raw(folder: Path) -> None:
    """A recording of a few sentences, a build of it, its book as text and epub, and a feed."""
    from rich.console import Console

    from triforce_tts.data.raw import build as scrape

    clips = [sf.read(path)[0] for path in sorted(SPEECH.glob("kathleen-0[0-2].ogg"))]
    rate = sf.info(SPEECH / "kathleen-00.ogg").samplerate
    pause = np.zeros(rate)
    (folder / "raw").mkdir()
    sf.write(folder / "raw" / "talk.flac", np.concatenate([part for clip in clips for part in (clip, pause)]), rate)
    texts = [json.loads(line) for line in (SPEECH / "manifest.jsonl").read_text().splitlines()]
    words = " ".join(row["text"] for row in texts if "kathleen" in json.dumps(row))
    shutil.copytree(folder / "raw", folder / "booked")
    (folder / "booked" / "talk.txt").write_text(words + "\n")
    (folder / "book.epub").write_bytes(epub({"c1.xhtml": f"<p>{words}</p>"}))
    here = Path.cwd()
    os.chdir(folder)  # Relative paths keep the names of this machine's folders out of the build.
    try:
        config = scrape.load_config("podcast", [RAW[3], RAW[5], RAW[7]])
        scrape.build(["raw"], Path("built"), config, 1, Console(quiet=True))
    finally:
        os.chdir(here)
    (folder / "feed.xml").write_text(feed('<item><guid>1</guid><enclosure url="http://127.0.0.1:9/a.mp3" length="9" '
                                          'type="audio/mpeg"/></item>'))  # fmt: skip


def feed(items: str, head: str = "") -> str:
    """A podcast feed with these items."""
    return f'<?xml version="1.0"?>{head}<rss version="2.0"><channel><title>Toy</title>{items}</channel></rss>'


def epub(
    chapters: dict[str, str], spine: list[str] | None = None, package: str | None = None, **more: bytes | str
) -> bytes:
    """An EPUB with these chapters. Members in ``more`` are added, and replace members of the same name."""
    files: dict[str, bytes | str] = {"mimetype": "application/epub+zip"}
    files["META-INF/container.xml"] = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    items = "".join(
        f'<item id="i{n}" href="{name}" media-type="application/xhtml+xml"/>' for n, name in enumerate(chapters)
    )
    names = list(chapters)
    order = "".join(
        f'<itemref idref="i{names.index(name) if name in names else name}"/>'
        for name in (names if spine is None else spine)
    )
    files["content.opf"] = package or (
        f'<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><manifest>{items}</manifest><spine>{order}</spine></package>'
    )
    for name, body in chapters.items():
        files[name] = body if body.startswith("<?xml") else f'<html xmlns="{NS}"><body>{body}</body></html>'
    files.update(more)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def reseal(model: Path) -> None:
    """Write a model's checksums anew, as an attacker would do who changes its files."""
    import hashlib

    manifest = json.loads((model / "model.json").read_text())
    for name in manifest["sha256"]:
        file = model / name
        if file.is_file():
            manifest["sha256"][name] = hashlib.sha256(file.read_bytes()).hexdigest()
    (model / "model.json").write_text(json.dumps(manifest))
