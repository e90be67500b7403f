import datetime
from importlib import resources
from pathlib import Path
from typing import Literal

import pytest
import yaml
from pydantic import ValidationError, model_validator

from triforce_tts import schema
from triforce_tts.data.raw.pipeline import BuilderConfig
from triforce_tts.errors import ConfigError
from triforce_tts.schema import Config, find, load, override, parse, read_yaml
from triforce_tts.stages.diffusion import DiffusionSettings
from triforce_tts.stages.distill import DistillSettings
from triforce_tts.stages.dvae import DVAESettings
from triforce_tts.stages.gpt import GPTSettings
from triforce_tts.stages.gpu.plan import Plan
from triforce_tts.stages.preferences.dpo import DPOSettings
from triforce_tts.stages.preferences.rule import PreferSettings

SETTINGS: dict[str, type[Config]] = {
    "gpu": Plan,
    "dvae": DVAESettings,
    "gpt": GPTSettings,
    "diffusion": DiffusionSettings,
    "distill": DistillSettings,
    "dpo": DPOSettings,
    "prefer": PreferSettings,
    "data": BuilderConfig,
}
FOLDER = Path(str(resources.files("triforce_tts.configs")))
FILES = sorted((group, path.stem) for group in SETTINGS for path in (FOLDER / group).glob("*.yaml"))


class Inner(Config):
    """An inner part."""

    rate: float
    levels: tuple[int, ...] = (1,)


class Outer(Config):
    """A configuration."""

    name: str
    steps: int = 3
    mode: Literal["fast", "slow"] = "fast"
    inner: Inner

    @model_validator(mode="after")
    def _check(self) -> "Outer":
        if self.steps > 100:
            raise ValueError("Steps must be at most 100")
        return self


GOOD = {"name": "x", "inner": {"rate": 0.5}}


def problem(values: object, kind: type[Config] = Outer) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(kind, values, "file.yaml")
    assert str(caught.value).startswith("file.yaml: ")
    return str(caught.value)


def test_good_values() -> None:
    found = parse(Outer, {**GOOD, "inner": {"rate": 2, "levels": [8, 5]}}, "here")
    assert found.steps == 3
    assert found.inner == Inner(rate=2.0, levels=(8, 5))


def test_a_configuration_is_frozen() -> None:
    found = parse(Outer, GOOD, "here")
    with pytest.raises(ValidationError, match="frozen"):
        found.steps = 4  # type: ignore[misc]


def test_an_unknown_key_gets_the_nearest_name() -> None:
    assert "unknown key 'stpes', did you mean 'steps'?" in problem({**GOOD, "stpes": 1})
    message = problem({"name": "x", "inner": {"rate": 1.0, "levles": [1]}})
    assert "unknown key 'inner.levles', did you mean 'levels'?" in message
    assert "expected one of: rate, levels" in problem({"name": "x", "inner": {"rate": 1.0, "zzzzzz": 1}})


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({**GOOD, "steps": "3"}, "'steps': "),
        ({**GOOD, "steps": 3.5}, "'steps': "),
        ({**GOOD, "steps": True}, "'steps': "),
        ({**GOOD, "steps": None}, "'steps': "),
        ({**GOOD, "name": 1}, "'name': "),
        ({**GOOD, "mode": "quick"}, "'mode': "),
        ({**GOOD, "inner": 3}, "'inner': "),
        ({"name": "x", "inner": {"rate": "1"}}, "'inner.rate': "),
        ({"name": "x", "inner": {"rate": 1.0, "levels": [1, "2"]}}, "'inner.levels.1': "),
        ({"name": "x", "inner": {"rate": 1.0, "levels": 2}}, "'inner.levels': "),
    ],
)
def test_a_wrong_type_is_refused_with_its_value(values: dict[str, object], key: str) -> None:
    message = problem(values)
    assert key in message
    assert ", found " in message


def test_a_missing_key_is_named() -> None:
    assert "key 'inner.rate' is missing" in problem({"name": "x", "inner": {}})


def test_a_contradiction_is_told() -> None:
    assert "steps must be at most 100" in problem({**GOOD, "steps": 101})


def test_all_problems_come_at_once() -> None:
    message = problem({"steps": "many", "colour": 1, "inner": {"rate": [], "levels": [1.5]}})
    for part in ("key 'name' is missing", "'steps': ", "unknown key 'colour'", "'inner.rate': ", "'inner.levels.0': "):
        assert part in message
    assert message.count("; ") == 4


@pytest.mark.parametrize("values", [None, [], "text", 3])
def test_something_else_than_keys_is_refused(values: object) -> None:
    assert "expected keys and values, found" in problem(values)


def test_a_value_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ConfigError, match="a value has a type"):
        parse(Outer, {**GOOD, "name": datetime.date(2020, 1, 1)}, "here")


@pytest.mark.parametrize(("text", "value"), [("2e-3", 2e-3), ("2.5e3", 2500.0), ("-1E5", -1e5), ("1e+2", 100.0)])
def test_numbers_with_an_exponent_are_numbers(tmp_path: Path, text: str, value: float) -> None:
    """Plain YAML 1.1 reads most of these as text."""
    (tmp_path / "a.yaml").write_text(f"name: x\ninner:\n  rate: {text}\n")
    found = load(Outer, "none", str(tmp_path / "a.yaml"))
    assert found.inner.rate == value
    assert override({}, [f"a={text}"]) == {"a": value}


@pytest.mark.parametrize("text", ["e3", "1e", "e-3", "2e-3x", "1e3.5"])
def test_what_only_looks_like_a_number_is_text(text: str) -> None:
    assert override({}, [f"a={text}"]) == {"a": text}


def test_overrides() -> None:
    values = {"name": "x", "inner": {"rate": 1.0, "levels": [1]}}
    settings = ["inner.rate=2e-3", "steps=7", "inner.levels=[8, 5]", "name=a=b", "steps=8"]
    changed = override(values, settings)
    assert changed == {"name": "a=b", "steps": 8, "inner": {"rate": 2e-3, "levels": [8, 5]}}
    assert values == {"name": "x", "inner": {"rate": 1.0, "levels": [1]}}
    assert override({}, ["a.b.c=null", " d = 2"]) == {"a": {"b": {"c": None}}, "d": 2}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("steps", "expected key=value"),
        ("=3", "expected key=value"),
        ("name.x=3", "'name' is a value and has no keys"),
        ("steps=[1", "not valid YAML"),
    ],
)
def test_bad_overrides_are_refused(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        override({"name": "x"}, [setting])
    assert setting in str(caught.value)


def test_an_override_is_checked_like_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("name: x\ninner: {rate: 1.0}\n")
    assert load(Outer, "none", str(path), ["inner.rate=3"]).inner.rate == 3.0
    with pytest.raises(ConfigError, match=r"unknown key 'inner.rat', did you mean 'rate'\?"):
        load(Outer, "none", str(path), ["inner.rat=3"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [1", "not valid YAML"),
        (b"\xff\xfe\x00", "not UTF-8 text"),
        (b"- 1\n- 2\n", "expected keys and values, found a list"),
        (b"", "expected keys and values, found nothing"),
        (b"a = 1", "expected keys and values, found 'a = 1'"),
        (b"!!python/object/apply:os.getcwd []", "not valid YAML"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        read_yaml(tmp_path / "a.yaml")
    assert str(tmp_path / "a.yaml") in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read the file \(No such file"):
        read_yaml(tmp_path / "a.yaml")
    with pytest.raises(
        ConfigError, match=r"no configuration 'huge' for dvae; choose one of: .*nano, .*tiny.*path ending"
    ):
        find("dvae", "huge")


def test_names_and_paths_are_found() -> None:
    assert find("gpt", "tiny") == FOLDER / "gpt" / "tiny.yaml"
    assert find("gpt", "some/where.yaml") == Path("some/where.yaml")


def test_every_shipped_file_is_seen() -> None:
    on_disk = [path for path in FOLDER.rglob("*") if path.suffix in (".yaml", ".yml")]
    assert len(FILES) == len(on_disk) >= 6
    assert {group for group, _ in FILES} == set(SETTINGS)


@pytest.mark.parametrize(("group", "name"), FILES)
def test_every_shipped_file_loads(group: str, name: str) -> None:
    found = schema.load(SETTINGS[group], group, name)
    assert parse(SETTINGS[group], found.model_dump(mode="json"), "again") == found
    written = yaml.safe_load((FOLDER / group / f"{name}.yaml").read_text(encoding="utf-8"))
    for part, values in written.items():
        assert hasattr(found, part), part
        for key in values if isinstance(values, dict) else ():
            assert hasattr(getattr(found, part), key), f"{part}.{key}"


@pytest.mark.parametrize(
    ("group", "setting", "message"),
    [
        ("dvae", "run.steps=0", "set a budget"),
        ("dvae", "run.ema=1.0", r"ema must be in \[0, 1\)"),
        ("dvae", "run.batch_size=0", "greater than 0"),
        ("dvae", "model.downsampling=3", "power of two"),
        ("dvae", "audio.hop_length=100", "multiple of hop_length"),
        ("gpt", "model.heads=3", "multiple of 2"),
        ("gpt", "data.mixture=[0.5, 0.4, 0.0, 0.0]", "sum to 1"),
        ("gpt", "data.mixture=[1.0]", "mixture"),
        ("gpt", "data.voice_seconds=[2.0, 1.0]", "two rising lengths"),
        ("gpt", "run.learning_rat=1", "did you mean 'learning_rate'"),
        ("diffusion", "model.bands=4", "belong to target 'complex'"),
        ("diffusion", "magnitude_weight=0.5", "needs model.target 'complex'"),
        ("diffusion", "model.target=phase", "'magnitude', 'complex' or 'source'"),
    ],
)
def test_impossible_settings_are_refused(group: str, setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(SETTINGS[group], group, "tiny", [setting])


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "twice.yaml"
    file.write_text("name: x\ninner:\n  rate: 1\n  rate: 2\n")
    with pytest.raises(ConfigError, match="a key is given twice: rate"):
        read_yaml(file)
