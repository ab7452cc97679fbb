"""The `orchestration` section of the configuration file: when an orchestrator runs the line, and how."""

import datetime
import re
import zoneinfo

import pydantic

from models.settings import Settings, only_with
from pipeline.deploy.cron import mistake_in

_PRESETS = ("@once", "@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")


class OrchestrationSettings(Settings):
    """When an orchestrator runs the line, and how; `seqline deploy` hands it over. `docs/operations.md` tells how."""

    schedule: str = ""
    """When a run starts: a cron line of five fields, such as "30 2 * * 1-5", or @once, @hourly, @daily, @weekly,
    @monthly, @quarterly, @yearly. Empty: when a person or another program starts one."""

    start: datetime.date | None = pydantic.Field(None, json_schema_extra=only_with(schedule=True))
    """First day of the schedule, such as 2026-01-31. Empty: the day of the deployment."""

    time_zone: str = "UTC"
    """In which the schedule is read, such as Europe/Berlin."""

    catch_up: bool = pydantic.Field(False, json_schema_extra=only_with(schedule=True))
    """Make up for the times of the schedule that have passed since `start`, one after another."""

    retries: int = pydantic.Field(2, ge=0)
    """How often a stage that failed is tried again before its run has failed."""

    retry_minutes: float = pydantic.Field(5.0, ge=0)
    """How long it waits for that."""

    parameters: tuple[str, ...] = ()
    """Keys of this file that may be given anew to a run that is started by hand, such as training.epochs."""

    pools: dict[str, str] = {}
    """Stage to the pool of the orchestrator whose slots it shares with others, such as {Trainer: gpu}: so that not
    all that is heavy runs at a time. The pools must be there."""

    reports_url: str = ""
    """Where a web server shows `reports` of the output folder, such as https://files.example/dates/reports: reports are
    linked there. Empty: to the files."""

    @pydantic.field_validator("schedule")
    @classmethod
    def _is_a_schedule(cls, schedule: str) -> str:
        if schedule and schedule not in _PRESETS and (mistake := mistake_in(schedule)):
            raise ValueError(
                f'must be a cron line of five fields, such as "30 2 * * *", or one of {", ".join(_PRESETS)}; '
                f"this one {mistake}"
            )
        return schedule

    @pydantic.field_validator("time_zone")
    @classmethod
    def _is_a_time_zone(cls, time_zone: str) -> str:
        try:
            zoneinfo.ZoneInfo(time_zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must be the name of a time zone, such as UTC or Europe/Berlin") from None
        return time_zone

    @pydantic.field_validator("reports_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if url and not re.match(r"https?://[^/]", url):
            raise ValueError("must begin with http:// or https://")
        return url.rstrip("/")
