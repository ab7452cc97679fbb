"""Which keys have a use: what is marked beside the settings (`models.settings`), as a rule and as a sentence."""

import re
import types
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

import pydantic
from pydantic.fields import FieldInfo

from models.architectures.settings.architecture import MODEL_USES, ArchitectureSettings
from models.registry import ARCHITECTURES, TASKS
from models.settings import markers_of
from models.tasks.task import Task


def unused_keys(
    fields: Mapping[str, FieldInfo], given: Mapping[str, Any], sections: Mapping[str, Any]
) -> Iterator[str]:
    """Refuses each key that was set and has no use for this task, this model or the values beside it.

    Args:
        fields: of the configuration.
        given: what the user wrote. Of a section that is not valid the keys are judged all the same, though not by the
            values beside them.
        sections: name to value of those that are valid, defaults included. What the others decide is not judged.

    Yields:
        One sentence for each key, a section without a use counting as one.
    """
    yield from _unused(fields, given, types.SimpleNamespace(**sections), "", _Run(sections), given)


def restriction(markers: Mapping[str, Any], tasks: Sequence[Task]) -> str:
    """Says in a sentence where a key has a use.

    Args:
        markers: what is marked beside the key.
        tasks: those that could have a use for it; for a key of a model those that its architecture solves.

    Returns:
        "Only: ..." or, for a key that is always of use, "".
    """
    use, parts = markers.get("only_for", ""), []
    if use in MODEL_USES:
        parts.append(MODEL_USES[use])
    elif use and not all(use in task.all_uses for task in tasks):
        parts.append(_tasks_with(use, tasks))
    parts += [f"with {_condition(key, wanted)}" for key, wanted in markers.get("only_with", {}).items()]
    return f"Only: {'; '.join(parts)}." if parts else ""


class _Run:
    """What decides over uses; None where the configuration does not say it, or says it wrong."""

    def __init__(self, sections: Mapping[str, Any]) -> None:
        self.task: Task | None = TASKS.get(sections.get("task", ""))
        self.model: ArchitectureSettings | None = sections.get("model")

    def tasks(self, prefix: str) -> list[Task]:
        """Those in which a key with this prefix could have a use."""
        if prefix == "model." and self.model:
            return [task for task in TASKS.values() if ARCHITECTURES[self.model.architecture].solves(task)]
        return list(TASKS.values())


def _unused(
    fields: Mapping[str, FieldInfo],
    given: Container[str],
    values: Any,
    prefix: str,
    run: _Run,
    written: Mapping[str, Any],
) -> Iterator[str]:
    for name, field in fields.items():
        if name not in given:
            continue
        value, markers = getattr(values, name, None), markers_of(field)
        reason = _of_tasks_or_models(markers, prefix, run) or _of_values_beside(markers, values, prefix, fields, run)
        if reason:
            it = "it" if prefix else "the section"
            yield f"{prefix}{name} {reason[0]}; remove {it}. Received: {reason[1]}"
        elif isinstance(value, pydantic.BaseModel):
            below = written.get(name)
            raw = below if isinstance(below, Mapping) else {}
            yield from _unused(type(value).model_fields, value.model_fields_set, value, f"{prefix}{name}.", run, raw)
        elif not hasattr(values, name) and (section := _section_class(field, written[name])):
            nothing = types.SimpleNamespace()
            yield from _unused(section.model_fields, written[name], nothing, f"{prefix}{name}.", run, written[name])


def _section_class(field: FieldInfo, written: Any) -> type[pydantic.BaseModel] | None:
    """The class of a section that is not valid; None for what is no section, or of an unknown architecture."""
    if not isinstance(written, Mapping):
        return None
    if field.discriminator:
        architecture = ARCHITECTURES.get(str(written.get(str(field.discriminator))))
        return architecture.settings if architecture else None
    annotation = field.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel) else None


def _of_tasks_or_models(markers: Mapping[str, Any], prefix: str, run: _Run) -> tuple[str, str] | None:
    """The rule that a key breaks and what was received in its stead."""
    use = markers.get("only_for")
    if not use:
        return None
    if use in MODEL_USES:
        return None if run.model is None or use in run.model.uses else (f"needs {MODEL_USES[use]}", _keys_of(use, run))
    tasks = run.tasks(prefix)
    # An architecture that does not solve the task is refused as a whole.
    if run.task is None or run.task not in tasks or use in run.task.all_uses:
        return None
    return f"is for the {_tasks_with(use, tasks)} only", f"task {run.task.name}"


def _of_values_beside(
    markers: Mapping[str, Any], values: Any, prefix: str, fields: Mapping[str, FieldInfo], run: _Run
) -> tuple[str, str] | None:
    for key, wanted in markers.get("only_with", {}).items():
        # A key without a use in this run decides nothing.
        if not hasattr(values, key) or _of_tasks_or_models(markers_of(fields[key]), prefix, run):
            continue
        received = getattr(values, key)
        if not (bool(received) is wanted if isinstance(wanted, bool) else received in _listed(wanted)):
            return f"goes with {prefix}{_condition(key, wanted)} only", f"{prefix}{key} {_shown(received)}"
    return None


def _keys_of(use: str, run: _Run) -> str:
    """What the model says in the keys that a use is about, or which architecture has no such keys."""
    keys = [key for key in re.findall(r"\bmodel\.(\w+)", MODEL_USES[use]) if hasattr(run.model, key)]
    received = [f"model.{key} {_shown(getattr(run.model, key))}" for key in ("architecture", *keys)]
    return ", ".join(received[1:] or received)


def _condition(key: str, wanted: Any) -> str:
    if isinstance(wanted, bool):
        return key if wanted else f"{key} empty"
    return f"{key} {' or '.join(_listed(wanted))}"


def _listed(wanted: Any) -> list[str]:
    return wanted if isinstance(wanted, list) else [wanted]


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return str(list(value))
    return "none" if value in (None, "") else str(value)


def _tasks_with(use: str, tasks: Sequence[Task]) -> str:
    names = [task.name for task in tasks if use in task.all_uses]
    return f"task{'s' if len(names) > 1 else ''} {', '.join(names) or 'none'}"
