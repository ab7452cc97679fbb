"""Many fuzzed requests, side by side, each judged."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.serving.fuzz.grpc_cases import RELOAD, GrpcCase, grpc_case, reload_case
from tests.serving.fuzz.known_good import KnownGood
from tests.serving.fuzz.rest_cases import RestCase, rest_case
from tests.serving.fuzz.senders import GrpcSender, Reply, RestSender
from tests.serving.fuzz.verdicts import UNREADABLE, judge_grpc, judge_rest

_CHECK_EVERY = 500
_SHARE_OF_RELOADS = 0.005
_MAX_FINDINGS = 20
_SHOWN_BYTES = 2000

Case = GrpcCase | RestCase


@dataclass(frozen=True)
class Target:
    """The servers that are fuzzed.

    Attributes:
        address: gRPC port, with its host.
        rest_port: HTTP port.
        reload_address: gRPC port of a server whose configuration may be changed.
        base_path: Folder of a model, for that server.
    """

    address: str
    rest_port: int
    reload_address: str
    base_path: str


@dataclass
class Tally:
    """What a campaign saw.

    Attributes:
        counts: Method or verb, and status, to the number of answers; "unreadable" where gRPC could not read a message.
        findings: What is wrong, with all that it takes to see it again.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


class Campaign:
    """Sends numbered requests; the same seed and number give the same bytes.

    Attributes:
        tally: What it saw so far.
    """

    def __init__(self, target: Target, seed: int) -> None:
        self._target = target
        self._seed = seed
        self._lock = threading.Lock()
        self.tally = Tally()

    def run(self, numbers: range, workers: int = 8, on_answer: Callable[[], None] = lambda: None) -> None:
        """Sends requests and judges the answers; stops early after many findings.

        Args:
            numbers: Which.
            workers: How many at the same time.
            on_answer: Called after each.
        """
        shares = [numbers[first::workers] for first in range(workers)]
        threads = [threading.Thread(target=self._work, args=(share, on_answer)) for share in shares]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def case(self, number: int) -> Case:
        """The request of this number."""
        rng = random.Random(f"{self._seed}:{number}")
        if rng.random() < _SHARE_OF_RELOADS:
            return reload_case(rng, self._target.base_path)
        return grpc_case(rng) if rng.random() < 0.5 else rest_case(rng)

    def _work(self, numbers: range, on_answer: Callable[[], None]) -> None:
        connections = Connections(self._target)
        for number in numbers:
            if len(self.tally.findings) >= _MAX_FINDINGS:
                break
            self._send(number, connections)
            if number % _CHECK_EVERY == 0 and (wrong := connections.known_good.check()):
                self._find(f"after request {number} of seed {self._seed}: {wrong}")
            on_answer()
        connections.close()

    def _send(self, number: int, connections: "Connections") -> None:
        case = self.case(number)
        reply, wrong = connections.try_out(case)
        with self._lock:
            self.tally.counts[_api(case), "unreadable" if reply.body == UNREADABLE else reply.status] += 1
        if wrong:
            said, sent = reply.body[:_SHOWN_BYTES], case.data[:_SHOWN_BYTES]
            where = f"request {number} of seed {self._seed}, {_api(case)}"
            self._find(f"{where}: {wrong}\n  answer {reply.status} {said!r}\n  to {sent!r}")

    def _find(self, finding: str) -> None:
        with self._lock:
            self.tally.findings.append(finding)


class Connections:
    """What one thread sends its requests over.

    Attributes:
        known_good: Requests that are right.
    """

    def __init__(self, target: Target) -> None:
        self._grpc, self._reload = GrpcSender(target.address), GrpcSender(target.reload_address)
        self._rest = RestSender(target.rest_port)
        self.known_good = KnownGood(target.address, target.rest_port)

    def try_out(self, case: Case) -> tuple[Reply, str | None]:
        """Sends a request to the server that it is for; gives the answer, and what is wrong with it."""
        if isinstance(case, GrpcCase):
            reply = (self._reload if case.method == RELOAD else self._grpc).send(case)
            return reply, judge_grpc(case, reply)
        try:
            reply = self._rest.send(case)
        except OSError as error:
            self._rest.close()
            return Reply("none", b""), f"no answer: {error}"
        return reply, judge_rest(case, reply)

    def close(self) -> None:
        """Ends them."""
        for part in (self._grpc, self._reload, self._rest, self.known_good):
            part.close()


def _api(case: Case) -> str:
    if isinstance(case, GrpcCase):
        return f"gRPC {case.method.partition('/')[2]}" if case.request else "gRPC other"
    if case.broken:
        return "HTTP broken"
    verb = case.target.rpartition(":")[2]
    return f"REST {verb if verb in ('predict', 'classify', 'regress') else 'other'}"
