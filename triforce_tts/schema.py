"""Reads YAML and JSON strictly into typed, frozen values; one message names every problem with its dotted key.

A configuration class stands beside the code that it configures (``DVAEConfig`` in ``models/dvae.py``); this module only
reads it. The settings of ``--set a.b=1`` on the command line come here as overrides. A ``Record`` does the same for
JSON files that a program writes and reads back: every value is checked before it is used.
"""

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from triforce_tts.errors import ConfigError, TriforceError
from triforce_tts.files import READ_LIMIT, from_home, read_file, read_text_file
from triforce_tts.wording import counted

_YAML_LIMIT = 1 << 20  # bytes; a larger configuration is refused
_DEPTH = 32  # the most levels of keys and lists in a configuration
_SHOWN = 60  # a message shows this many characters of a wrong value
_PROBLEMS = 5  # a message shows this many problems
_NAME_BYTES = 200  # bytes; file systems allow names of 255, and the names of temporary files are longer than this one

# The sizes that a configuration may have. Each limit is far above any network that was ever trained, and far below a
# number that fills a memory.
Layers = Annotated[int, Field(ge=1, le=1024)]
Width = Annotated[int, Field(ge=1, le=65_536)]
Kernel = Annotated[int, Field(ge=1, le=1023)]

PathText = Annotated[str, AfterValidator(from_home)]  # a path that a user writes into a file or a setting


class _Loader(yaml.SafeLoader):
    """A safe YAML loader that reads ``2e-3`` as a number (YAML 1.1 wants ``2.0e-3``) and refuses repeated keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping of a node; YAML 1.1 demands unique keys, but PyYAML alone would silently take the last one."""
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        if len(mapping) < len(node.value):
            keys = [str(key.value) for key, _ in node.value]
            twice = sorted({key for key in keys if keys.count(key) > 1})
            raise yaml.YAMLError(f"a key is given twice: {', '.join(twice)}")
        return mapping

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The node; an alias is refused, because a few hundred bytes of aliases can stand for gigabytes."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases such as '*name' are not allowed; write the value out")
        if self.depth >= _DEPTH:
            raise yaml.YAMLError(f"it has more than {_DEPTH} levels")
        self.depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def _load_yaml(text: str) -> Any:
    """The value of a YAML text.

    Raises:
        yaml.YAMLError: the text is not valid, or holds a scalar that looks like a date or a number but is none.
    """
    try:
        return yaml.load(text, _Loader)
    except (ValueError, RecursionError) as error:
        # PyYAML raises a ValueError for "2020-99-99", which looks like a date.
        raise yaml.YAMLError(str(error)) from error


class Config(BaseModel):
    """A frozen configuration that refuses unknown keys, wrong types, and numbers that are not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Record(BaseModel):
    """The frozen content of a JSON file that a program wrote; unknown keys come from newer versions and are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, allow_inf_nan=False)


ConfigT = TypeVar("ConfigT", bound=Config)
RecordT = TypeVar("RecordT", bound=BaseModel)


def _check_file_name(name: str) -> str:
    if not name or len(name.encode("utf-8", "surrogatepass")) > _NAME_BYTES or name.startswith("."):
        raise ValueError(f"expected a file name of 1 to {_NAME_BYTES} bytes without a dot in front")
    if "/" in name or "\\" in name or not name.isprintable():
        raise ValueError("expected a plain file name, without separators or control characters")
    return name


FileName = Annotated[str, AfterValidator(_check_file_name)]
"""The name of a file or folder, read from a file: it cannot lead out of its folder and cannot be hidden."""


def read_record(
    path: Path | str, kind: type[RecordT], error: type[TriforceError] = TriforceError, limit: int = READ_LIMIT
) -> RecordT:
    """Read the JSON file at ``path`` as a ``kind``.

    Raises:
        error: the file cannot be read, is larger than ``limit`` bytes, or is no ``kind``; the message names every
            problem.
    """
    try:
        data = read_file(path, limit)
    except TriforceError as fault:
        raise error(str(fault)) from fault
    return parse_record(kind, data, str(path), error)


def parse_record(
    kind: type[RecordT], data: str | bytes, where: str, error: type[TriforceError] = TriforceError
) -> RecordT:
    """Read JSON text as a ``kind``; messages name its file as ``where``.

    Raises:
        error: the text is not JSON, has too many levels, or is no ``kind``; the message names every problem.
    """
    try:
        return kind.model_validate_json(data)
    except ValidationError as fault:
        raise error(f"{where}: {_problems(kind, fault)}") from fault


def parse(kind: type[ConfigT], values: Any, where: str) -> ConfigT:
    """Check ``values`` and make a ``kind`` of them; messages name their file as ``where``.

    Raises:
        ConfigError: there are unknown keys, wrong types or contradictions; the message names all of them.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where}: expected keys and values, found {_in_words(values)}; see configs/ for examples")
    try:
        return kind.model_validate_json(_as_json(values, where))
    except ValidationError as error:
        raise ConfigError(f"{where}: {_problems(kind, error)}") from error


def _as_json(values: Mapping[str, Any], where: str) -> str:
    """``values`` as JSON, because strict validation of JSON turns lists into tuples and changes no other type."""
    try:
        return json.dumps(values, allow_nan=True)
    # JSON has no dates, no sets, and no integers of thousands of digits.
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: a value has a type that a configuration cannot hold: {error}") from error


def _problems(kind: type[BaseModel], error: ValidationError) -> str:
    """The problems of a value in words: the first ``_PROBLEMS``, and the number of the others."""
    problems = error.errors(include_url=False, include_context=False)
    described = [_describe(kind, problem) for problem in problems[:_PROBLEMS]]
    more = [f"and {counted(len(problems) - _PROBLEMS, 'more problem')}"] if len(problems) > _PROBLEMS else []
    return "; ".join([*described, *more])


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
    if problem["type"] == "json_invalid":
        return f"not valid JSON ({message.removeprefix('Invalid JSON: ')})"
    told = f"'{key}': {message[0].lower()}{message[1:]}"
    if problem["type"] == "value_error" and isinstance(problem["input"], dict):
        return told  # The message names the settings that contradict each other, and their values.
    shown = ascii(problem["input"]) if isinstance(problem["input"], bytes) else repr(problem["input"])
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}... ({len(shown)} characters)"
    return f"{told}, found {shown}"


def _keys_at(kind: type[BaseModel], path: Sequence[str]) -> list[str]:
    for part in path:
        field = kind.model_fields.get(part)
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        kind = inner
    return list(kind.model_fields)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read the mapping in a YAML file.

    Raises:
        ConfigError: the file is missing, is not YAML, or does not hold a mapping.
    """
    try:
        values = _load_yaml(read_text_file(path, _YAML_LIMIT))
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML ({str(error).splitlines()[0]})") from error
    except TriforceError as error:
        raise ConfigError(str(error)) from error
    if not isinstance(values, dict):
        raise ConfigError(
            f"{path}: expected keys and values, found {_in_words(values)}; write lines such as 'key: value'"
        )
    return values


def _in_words(values: object) -> str:
    if values is None:
        return "nothing"
    return "a list" if isinstance(values, list) else f"{str(values)[:_SHOWN]!r}"


def find(group: str, name: str) -> Path:
    """The YAML file ``name``: a path, or the name of a file in this package, such as ``nano`` of group ``dvae``.

    Raises:
        ConfigError: there is no such file in this package; the message lists those that there are.
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
    """``values`` with each setting ``a.b=1`` applied; the right side is read as YAML.

    Raises:
        ConfigError: a setting has no ``=``, or a part of its key names a value that has no keys.
    """
    result: dict[str, Any] = _copy(values)
    for setting in settings:
        key, separator, text = setting.partition("=")
        key = key.strip()
        if not separator or not key:
            raise ConfigError(f"setting '{setting}': expected key=value, such as run.steps=100")
        *parents, last = key.split(".")
        target = result
        for parent in parents:
            inner = target.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"setting '{setting}': '{parent}' is a value and has no keys")
            target = inner
        try:
            target[last] = _load_yaml(text)
        except yaml.YAMLError as error:
            reason = str(error).splitlines()[0]
            raise ConfigError(f"setting '{setting[:_SHOWN]}': the value is not valid YAML ({reason})") from error
    return result


def _copy(values: Any) -> Any:
    return {key: _copy(value) for key, value in values.items()} if isinstance(values, dict) else values


def load(kind: type[ConfigT], group: str, name: str, settings: Sequence[str] = ()) -> ConfigT:
    """Read the configuration ``name`` of ``group``, apply the overrides ``settings``, and check it as a ``kind``."""
    path = find(group, name)
    return parse(kind, override(read_yaml(path), settings), str(path))
