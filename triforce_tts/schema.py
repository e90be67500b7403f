"""Strict YAML to typed, frozen configuration: every problem is reported at once, with its dotted key.

A configuration class lives beside the thing it configures (``DVAEConfig`` in ``models/dvae.py``); this
module only knows how to read one. ``SET="a.b=1"`` on the command line arrives here as overrides.
"""

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from triforce_tts.errors import ConfigError


class _Loader(yaml.SafeLoader):
    """Safe YAML that reads ``2e-3`` as a number, where YAML 1.1 wants a dot, and refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping; YAML 1.1 demands unique keys, PyYAML would keep the last one silently."""
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        if len(mapping) < len(node.value):
            keys = [str(key.value) for key, _ in node.value]
            twice = sorted({key for key in keys if keys.count(key) > 1})
            raise yaml.YAMLError(f"key given twice: {', '.join(twice)}")
        return mapping


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def _load_yaml(text: str) -> Any:
    return yaml.load(text, _Loader)


class Config(BaseModel):
    """A frozen configuration that refuses unknown keys and wrong types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


ConfigT = TypeVar("ConfigT", bound=Config)


def parse(kind: type[ConfigT], values: Any, where: str) -> ConfigT:
    """``values`` as a ``kind``; ``where`` names the file in messages.

    Raises:
        ConfigError: unknown keys (with the nearest valid name), wrong types, contradictions: all of them.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(
            f"{where}: expected keys and values, found {type(values).__name__}; see configs/ for examples"
        )
    try:
        return kind.model_validate_json(_as_json(values))
    except ValidationError as error:
        problems = [_describe(kind, problem) for problem in error.errors()]
        raise ConfigError(f"{where}: {'; '.join(problems)}") from error


def _as_json(values: Mapping[str, Any]) -> str:
    """JSON validation lets lists become tuples and nothing else change type, also in strict mode."""
    try:
        return json.dumps(values, allow_nan=True)
    except TypeError as error:
        raise ConfigError(f"a value is of a type that YAML should not hold here: {error}") from error


def _describe(kind: type[BaseModel], problem: Any) -> str:
    path = [str(part) for part in problem["loc"]]
    key = ".".join(path) or "(whole)"
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(path[-1], _keys_at(kind, path[:-1]), n=1)
        hint = f", did you mean '{near[0]}'?" if near else f", expected one of: {', '.join(_keys_at(kind, path[:-1]))}"
        return f"unknown key '{key}'{hint}"
    if problem["type"] == "missing":
        return f"key '{key}' is missing"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"'{key}': {message[0].lower()}{message[1:]}, found {problem['input']!r}"


def _keys_at(kind: type[BaseModel], path: Sequence[str]) -> list[str]:
    for part in path:
        field = kind.model_fields.get(part)
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        kind = inner
    return list(kind.model_fields)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        ConfigError: the file is missing, is not YAML, or does not hold a mapping.
    """
    try:
        values = _load_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the configuration ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid YAML ({str(error).splitlines()[0]})") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected keys and values, found {type(values).__name__}")
    return values


def find(group: str, name: str) -> Path:
    """The YAML file called ``name``: a path, or a shipped one such as ``nano`` of group ``dvae``.

    Raises:
        ConfigError: there is none; the message lists the shipped ones.
    """
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    shipped = Path(str(resources.files("triforce_tts.configs"))) / group
    path = shipped / f"{name}.yaml"
    if not path.is_file():
        choices = ", ".join(sorted(p.stem for p in shipped.glob("*.yaml")))
        raise ConfigError(
            f"no configuration '{name}' for {group}; choose one of: {choices}, or give a path ending in .yaml"
        )
    return path


def override(values: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """``values`` with each ``a.b=1`` applied; the right side is read as YAML.

    Raises:
        ConfigError: a setting has no ``=`` or goes through a value that holds no keys.
    """
    result: dict[str, Any] = _copy(values)
    for setting in settings:
        key, separator, text = setting.partition("=")
        if not separator or not key:
            raise ConfigError(f"setting '{setting}': expected key=value, such as run.steps=100")
        *parents, last = key.split(".")
        target = result
        for parent in parents:
            inner = target.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"setting '{setting}': '{parent}' holds a value, not keys")
            target = inner
        try:
            target[last] = _load_yaml(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"setting '{setting}': the value is not valid YAML") from error
    return result


def _copy(values: Any) -> Any:
    return {key: _copy(value) for key, value in values.items()} if isinstance(values, dict) else values


def load(kind: type[ConfigT], group: str, name: str, settings: Sequence[str] = ()) -> ConfigT:
    """The configuration ``name`` of ``group``, with overrides, checked as ``kind``."""
    path = find(group, name)
    return parse(kind, override(read_yaml(path), settings), str(path))
