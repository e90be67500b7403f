"""Raw builds that make nothing, and what they tell."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from rich.console import Console

from tests.clips import SPEECH
from tests.data.raw.test_build import CHOSEN, build
from tests.data.web import server as web
from triforce_tts.data.raw import build as raw_build
from triforce_tts.data.raw import find as raw
from triforce_tts.data.raw.pipeline import Work
from triforce_tts.errors import ShardError, TriforceError


def test_a_build_of_which_nothing_can_be_used_says_why_in_its_report(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    sf.write(tmp_path / "in" / "quiet.wav", np.zeros(8 * 16000), 16000)
    (tmp_path / "in" / "broken.mp3").write_bytes(bytes(1000))
    for words in ([str(tmp_path / "in")], [str(tmp_path / "in" / "broken.mp3")]):
        with pytest.raises(ShardError, match=r"none of the recordings could be used \(\d in all\); report/ says why"):
            build(words, tmp_path / "out")
        assert "broken" in (tmp_path / "out" / "report" / "index.html").read_text()
        rows = (tmp_path / "out" / "report" / "segments.csv").read_text()
        assert ("no speech" in rows) == (words == [str(tmp_path / "in")])
        assert not (tmp_path / "out" / "index.json").exists()


def test_the_terminal_names_what_was_dropped_and_what_could_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    sf.write(tmp_path / "in" / "quiet.wav", np.zeros(8 * 16000), 16000)
    for number in range(12):
        (tmp_path / "in" / f"broken {number:02}.mp3").write_bytes(bytes([number]) * 1000)
    told = io.StringIO()
    with pytest.raises(ShardError, match=r"none of the recordings could be used"):
        raw_build.build([str(tmp_path / "in")], tmp_path / "out", raw_build.load_config("podcast", CHOSEN), 1,
                        Console(file=told, width=500))  # fmt: skip
    lines = told.getvalue().splitlines()
    assert "1 recording of 8.0 s could be read; dropped: 8.0 s no speech" in lines
    named = [line for line in lines if line.startswith("  not used: ")]
    assert len(named) == 10
    assert "broken 00.mp3: not an audio file" in named[0]
    assert f"  and 2 more ({tmp_path / 'out' / 'report' / 'sources.csv'})" in lines


def test_a_list_that_is_none_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(ShardError, match=r"list\.json"):
        raw_build.run([str(SPEECH)], tmp_path / "out", raw_build.load_config("podcast", CHOSEN), 1, Console(quiet=True),
                   heldout=tmp_path / "list.json")  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_transfers_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "javascript_runtimes", dict)
    told = io.StringIO()
    with web.serving() as server:
        server.replies["/[a].mp3"] = web.whole(b"ID3" + bytes(100))
        config = raw_build.load_config("podcast", [*CHOSEN, "fetch.allow_private=true", "fetch.delay_s=0"])
        words = [server.url("/[a].mp3"), "https://youtu.be/x"]
        monkeypatch.setattr(raw, "list_ytdlp", lambda *_: [])
        raw_build.build(words, tmp_path / "out", config, 1, Console(file=told, width=200), "fetch")
    assert f"fetching {words[0]}" in told.getvalue()
    assert "no JavaScript runtime was found" in told.getvalue()
    assert "recordings; 1 could not be read or fetched" in told.getvalue()


def test_words_that_are_not_english_cannot_be_placed() -> None:
    with pytest.raises(TriforceError, match=r"align\.enabled.*text_checks\.language is 'de'; set align\.enabled=false"):
        raw_build.load_config("podcast", ["text_checks.language=de"])
    assert not raw_build.load_config("podcast", ["text_checks.language=de", "align.enabled=false"]).align.enabled


def test_what_workers_left_when_they_were_ended_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(jobs: list[Work], *others: object) -> None:
        program = "import sys; from pathlib import Path; from triforce_tts.leftovers import temporary_path as t"
        program += "; p = t(Path(sys.argv[1]), 'tmp'); p.mkdir(parents=True); (p / 'sound.pcm').write_text('x')"
        subprocess.run([sys.executable, "-c", program, jobs[0].folder], check=True)
        assert list((tmp_path / "out").rglob("sound.pcm"))
        raise KeyboardInterrupt

    (tmp_path / "in").mkdir()
    sf.write(tmp_path / "in" / "quiet.wav", np.zeros(8 * 16000), 16000)
    monkeypatch.setattr(raw_build, "work_through", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build([str(tmp_path / "in")], tmp_path / "out")
    assert not list((tmp_path / "out").rglob("sound.pcm"))
