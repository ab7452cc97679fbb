"""The JSON schema of a configuration file, made from the settings classes, for editors."""

import json
from typing import Any

from models.registry import ARCHITECTURES, TASKS
from models.settings import MARKERS
from pipeline.config.config import Config
from pipeline.config.uses import restriction


def schema_text() -> str:
    """The schema, in which the description of a key also says where the key has a use."""
    schema = Config.model_json_schema()
    solved = {
        entry.settings.__name__: tuple(task for task in TASKS.values() if entry.solves(task))
        for entry in ARCHITECTURES.values()
    }
    for name, settings in [("", schema), *schema["$defs"].items()]:
        for key in settings.get("properties", {}).values():
            markers = {marker: key.pop(marker) for marker in MARKERS if marker in key}
            if only := restriction(markers, solved.get(name, tuple(TASKS.values()))):
                key["description"] = f"{_description(key, schema)} {only}"
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Seqline configuration"}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _description(key: dict[str, Any], schema: dict[str, Any]) -> str:
    # pydantic leaves it out where it is that of the section's class.
    return key.get("description") or schema["$defs"][key["$ref"].rpartition("/")[2]]["description"]
