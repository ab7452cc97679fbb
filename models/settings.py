"""The base of every section of the configuration file."""

import pydantic


class Settings(pydantic.BaseModel):
    """Settings that cannot change after they are read and that refuse keys they do not know."""

    model_config = pydantic.ConfigDict(
        frozen=True, extra="forbid", validate_default=True, use_attribute_docstrings=True
    )
