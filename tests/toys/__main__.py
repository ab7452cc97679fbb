"""`python -m tests.toys`: the command `seqline`, with the toys in its tables."""

from tests.toys.tables import add_toys

add_toys()

from pipeline.cli import main  # noqa: E402

main()
