"""Markdown tables of what was measured."""

from collections.abc import Mapping, Sequence
from typing import Any


def markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; numbers stand right."""
    lines = [header, ["---" if index == 0 else "---:" for index in range(len(header))], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def share_of_bound(per_second: float, echo: float, limit: float) -> float:
    """How near requests per second come to what is left where each costs an echo's time and the model's, one after the
    other.

    Args:
        per_second: requests that were answered.
        echo: requests that a server without a model answers.
        limit: requests that the model answers without a server, in batches of as many as there are clients.
    """
    return per_second * (1 / echo + 1 / limit)


def throughput_table(result: Mapping[str, Any], ours: str, echo: str) -> str:
    """What `throughput` found: a row for each server and concurrency, and what it means for ours."""
    limit, single, rows = result["limit_rows_per_second"], result["single_run_p50"], result["rows"]
    rates = {(one["server"], one["concurrency"]): one["per_second"] for one in result["figures"]}
    header = "server, clients|requests/s|share of the limit|p50 ms|p95 ms|p99 ms|errors|seqline is|client CPU".split(
        "|"
    )
    body = []
    for one in result["figures"]:
        own = rates.get((ours, one["concurrency"]))
        body.append(
            [
                f"{one['server']}, {one['concurrency']}",
                f"{one['per_second']:.0f}",
                f"{one['per_second'] * rows / limit:.0%}",
                *(f"{one[name]:.2f}" for name in ("p50", "p95", "p99")),
                one["errors"],
                f"{own / one['per_second']:.2f}x" if own and one["per_second"] else "-",
                f"{one['client_cpu']:.0%}",
            ]
        )
    notes = [
        f"{result['model']}, {result['signature']}, {rows} text(s) in a request, {result['rounds']} rounds of "
        f"{result['seconds']:g} s, {result['processors']} processors, load generator ({result['generator']}) on the "
        "same ones.",
        f"Limit, the model in a loop without a server: {limit:.0f} rows/s in batches of {result['limit_batch_size']}; "
        f"one request's rows alone: p50 {single:.2f} ms.",
    ]
    if overhead := [
        one["p50"] - single for one in result["figures"] if (one["server"], one["concurrency"]) == (ours, 1)
    ]:
        notes.append(f"Overhead of the server for a lone client: p50 {overhead[0]:.2f} ms.")
    for count, limit_there in result["limits_by_concurrency"].items():
        if (ours, count) in rates and rates.get((echo, count)):
            share = share_of_bound(rates[ours, count], rates[echo, count], limit_there / rows)
            notes.append(
                f"{count} clients: {share:.0%} of the bound by the echo and the model ({limit_there:.0f} rows/s)."
            )
    return "\n".join([markdown(header, body), "", *notes, ""])
