"""`python -m pipeline`: the same as the command `seqline`."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
