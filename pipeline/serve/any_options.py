"""A command that leaves its options to the model it asks."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import typer
import typer.core


class AnyOptions(typer.core.TyperCommand):
    """Reads an option that it does not know, `--KEY VALUE` or `--KEY=VALUE`, as `--with KEY=VALUE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts the options that it does not know into the form of one that it does."""
        takes_value = {
            name: not getattr(option, "is_flag", False) for option in self.get_params(ctx) for name in option.opts
        }
        return super().parse_args(ctx, list(_translated(args, takes_value, ctx)))


def _translated(args: Sequence[str], takes_value: dict[str, Any], ctx: Any) -> Iterator[str]:
    rest = iter(args)
    for arg in rest:
        name, equals, value = arg.partition("=")
        if arg == "--":
            yield arg
            yield from rest
        elif not arg.startswith("--") or name in takes_value:
            yield arg
            if not equals and takes_value.get(name):
                yield from itertools.islice(rest, 1)
        else:
            if not equals and (following := next(rest, None)) is None:
                raise typer.BadParameter(f"Option '{name}' requires an argument.", ctx)
            yield from ("--with", f"{name[2:]}={value if equals else following}")
