"""How far long work is: one form of record, on one logger, that displays and logs of runs read."""

import logging
from collections.abc import Mapping
from typing import Any

_logger = logging.getLogger("seqline.progress")


def tell(
    text: str,
    completed: int,
    total: int,
    fields: Mapping[str, Any] | None = None,
    stage: str = "",
    notable: bool = False,
) -> None:
    """Tells how far the work is.

    Args:
        text: for the log.
        completed: steps, records, clips done.
        total: how many there will be.
        fields: what else is known, such as losses; shown beside the count.
        stage: of the pipeline; "" for the one at work.
        notable: shown even where only a line now and then is.
    """
    progress: dict[str, Any] = {"completed": completed, "total": total}
    # What is not said is not there.
    progress |= {"stage": stage} if stage else {}
    progress |= {"fields": dict(fields)} if fields else {}
    progress |= {"notable": True} if notable else {}
    _logger.info("%s", text, extra={"progress": progress})
