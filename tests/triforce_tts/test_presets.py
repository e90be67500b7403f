"""Each preset does what its help says, and an option goes before it."""

from dataclasses import replace
from pathlib import Path

import pytest

from triforce_tts.cli.preparing import ModelOptions, chosen_preset, open_checks, take_choice
from triforce_tts.errors import ConfigError
from triforce_tts.judges import recognisers
from triforce_tts.presets import HELP, PRESETS, STANDARD


def test_every_preset_is_known_and_told() -> None:
    for name in PRESETS:
        assert f"{name}: " in HELP
        assert chosen_preset(name) is PRESETS[name]
    with pytest.raises(ConfigError, match="fast, standard, best"):
        chosen_preset("good")


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_model_gets_the_settings_of_a_preset(name: str, model: Path) -> None:
    plain, care = ModelOptions(model).open("cpu"), PRESETS[name]
    settings = ModelOptions(model, care=care).open("cpu").settings
    assert settings == replace(plain.settings, tries=care.tries, phase_iterations=care.phase_iterations)
    assert (plain.settings == settings) == (name == STANDARD)


def test_only_best_compares_takes_and_it_needs_whisper_to_recognise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        recognisers, "choose", lambda wanted="auto": recognisers.Choice("pocketsphinx", "no Whisper here")
    )
    assert [take_choice(PRESETS[name], quiet=True) for name in ("fast", "standard")] == [None, None]
    choice = take_choice(PRESETS["best"], quiet=False)
    assert choice is not None
    assert choice.takes == 3
    assert not any(name.startswith("recogniser") for name in choice.names)
    assert "no Whisper here" in capsys.readouterr().err


def test_a_recogniser_that_a_user_names_goes_before_the_preset() -> None:
    assert open_checks(PRESETS["best"], "none", quiet=False).recogniser is None
    assert open_checks(PRESETS["fast"], None, quiet=True).names == ("engine", "sound")
    heard = open_checks(PRESETS["fast"], "pocketsphinx", quiet=True).recogniser
    assert heard is not None
    assert heard.name == "pocketsphinx"
