"""The commands, options and files that the README names exist."""

import re
import shlex
from pathlib import Path

import pytest
import torch

from tests import inside
from triforce_tts import schema
from triforce_tts.cli import app as cli
from triforce_tts.models.dvae import DVAE
from triforce_tts.models.frame_gpt import make_gpt
from triforce_tts.models.layers import count_parameters
from triforce_tts.models.upsampler import make_upsampler
from triforce_tts.sequences import Vocabulary, VocabularyConfig
from triforce_tts.stages.diffusion import DiffusionSettings
from triforce_tts.stages.dvae import DVAESettings
from triforce_tts.stages.gpt import GPTSettings
from triforce_tts.text.tokenizer import TextTokenizer

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands() -> list[str]:
    lines = []
    for block in re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.S):
        lines += [line.split("  #")[0].strip() for line in block.splitlines() if line.strip()]
    return lines


def options(path: list[str]) -> set[str]:
    """Option names of a sub-command, from its own help."""
    done = inside.run(*path, "--help")
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"--[a-z-]+", done.stdout))


@pytest.mark.parametrize("line", [c for c in commands() if c.startswith("triforce-tts")])
def test_every_command_of_the_readme_exists_with_its_options(line: str) -> None:
    words = shlex.split(line.split(" < ")[0])[1:]
    # "build", "train" and "voices" have kinds, whose options are their own.
    known = options(words[: 2 if words[0] in ("build", "train", "voices") else 1])
    for word in words:
        if word.startswith("--"):
            assert word in known, line


@pytest.mark.parametrize("line", [c for c in commands() if c.startswith("make")])
def test_every_target_of_the_readme_exists(line: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M)
    assert shlex.split(line)[1] in targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_files_in_the_reading_order_exist() -> None:
    text = (ROOT / "README.md").read_text()
    for name in re.findall(r"`((?:triforce_tts|stages|data|adapt)/[\w/.]+)`", text):
        assert (ROOT / name).exists(), name
    order = text[text.index("## Read the code") : text.index("A book goes through")]
    names = re.findall(r"`([\w/]+\.(?:py|cpp))`", order)
    assert len(names) > 20
    for name in names:
        assert any((ROOT / folder / name).exists() for folder in ("", "triforce_tts", "triforce_tts/text")), name


def test_the_command_line_has_a_help() -> None:
    assert cli.app.info.help


@pytest.mark.parametrize("size", ["tiny", "nano", "base", "large"])
def test_the_parameter_counts_of_the_docs_are_those_of_the_networks(size: str) -> None:
    dvae = schema.load(DVAESettings, "dvae", size)
    gpt = schema.load(GPTSettings, "gpt", size)
    diffusion = schema.load(DiffusionSettings, "diffusion", size)
    codes = VocabularyConfig(
        n_text=TextTokenizer().size,
        n_codes=dvae.model.n_codes,
        groups=dvae.model.groups,
        reads=gpt.data.reads,
        by_frames=gpt.model.head is not None,
    )
    with torch.device("meta"):
        networks = {
            "dvae": DVAE(dvae.model, dvae.audio.n_mels),
            "gpt": make_gpt(gpt.model, Vocabulary(codes)),
            "diffusion": make_upsampler(diffusion.model, dvae.audio),
        }
    for stage, network in networks.items():
        page = (ROOT / "docs" / f"{stage}.md").read_text(encoding="utf-8")
        assert f"| `{size}` | {count_parameters(network) / 1e6:.2f} M |" in page, stage


@pytest.mark.parametrize("name", ["nano-magnitude", "nano-complex"])
def test_the_parameter_counts_of_the_flows(name: str) -> None:
    settings, audio = schema.load(DiffusionSettings, "diffusion", name), schema.load(DVAESettings, "dvae", "nano")
    with torch.device("meta"):
        network = make_upsampler(settings.model, audio.audio)
    page = (ROOT / "docs" / "diffusion.md").read_text(encoding="utf-8")
    assert f"| `{name}` | {count_parameters(network) / 1e6:.2f} M |" in page
