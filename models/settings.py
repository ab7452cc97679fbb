"""The base of every section of the configuration file."""

from typing import Any

import pydantic


class Settings(pydantic.BaseModel):
    """Settings that cannot change after they are read and that refuse keys they do not know."""

    model_config = pydantic.ConfigDict(
        frozen=True, extra="forbid", validate_default=True, use_attribute_docstrings=True
    )


def only_for(use: str) -> Any:
    """Marks a key, for `json_schema_extra`, that has a use only for tasks with `use` among `Task.all_uses`."""
    return {"only_for": use}


def only_with(**values: str) -> Any:
    """Marks a key, for `json_schema_extra`, that has a use only where keys beside it have these values."""
    return {"only_with": values}
