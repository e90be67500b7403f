"""The held-out lists as ``triforce-tts evaluate`` reads them: ``python -m benchmarks.heldout --speech S --lessons L --out DIR``.

Writes DIR/lessons.txt (texts of the teacher's held-out recordings), DIR/books.txt (held-out book sentences) and
DIR/kathleen/manifest.jsonl (held-out recordings of that reader). The teacher's recordings are found by their texts in the
lessons' own manifest. S and L are folders with a manifest.jsonl and a heldout.json. Prints the options for evaluate.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from triforce_tts.files import write_text


def rows(folder: Path, key: str) -> list[dict[str, Any]]:
    """The rows of a folder's manifest whose ids its heldout.json lists under ``key``; paths of audio are absolute."""
    ids = set(json.loads((folder / "heldout.json").read_text(encoding="utf-8"))[key])
    lines = (json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
    return [{**row, "audio": str(folder.absolute() / row["audio"])} for row in lines if row["id"] in ids]


def main() -> None:
    """Write the lists."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, required=True, help="folder with kathleen and the book sentences")
    parser.add_argument("--lessons", type=Path, required=True, help="folder of the teacher's recordings")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    options = parser.parse_args()
    lessons = [row["text"] for row in rows(options.lessons, "kokoro_utterances")]
    books = json.loads((options.speech / "heldout.json").read_text(encoding="utf-8"))["book_sentences"]
    kathleen = [json.dumps(row) for row in rows(options.speech, "kathleen_utterances")]
    for name, lines in (("lessons.txt", lessons), ("books.txt", books), ("kathleen/manifest.jsonl", kathleen)):
        write_text(options.out / name, "".join(f"{line}\n" for line in lines))
    manifest = Path(os.path.relpath(options.lessons)) / "manifest.jsonl"
    print(
        f"--texts {options.out}/lessons.txt --texts {options.out}/books.txt --natural {manifest} "
        f"--beside {options.out}/kathleen/manifest.jsonl"
    )


if __name__ == "__main__":
    main()
