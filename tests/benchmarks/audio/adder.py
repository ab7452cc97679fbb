"""A worker that adds, prints much, and breaks when it is told to."""

from benchmarks.audio.workers import answer_jobs


class Adder:
    def __init__(self, start: int):
        print("a library says something")
        self.facts = {"start": start}
        self.total = start

    def __call__(self, number: int) -> dict:
        print("and again")
        if number < 0:
            raise ValueError("no negative numbers")
        if number == 99:
            raise SystemExit("gone")
        self.total += number
        return {"total": self.total}


if __name__ == "__main__":
    answer_jobs(Adder)
