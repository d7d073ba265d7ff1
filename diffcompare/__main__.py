"""``python -m diffcompare``: the command line."""

import sys

from diffcompare.command.cli import main

if __name__ == "__main__":
    sys.exit(main())
