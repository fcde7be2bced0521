"""`python -m benchmarks.gpu`: refuses a Python without what all commands import, then runs them."""

import sys

from benchmarks.errors import UserError
from benchmarks.gpu import needs


def main() -> int:
    """Run one command."""
    try:
        needs.require(needs.THERE)
    except UserError as error:
        print(f"gliozoo: {error}", file=sys.stderr)
        return 2
    from benchmarks.gpu import command_line

    return command_line.main()


if __name__ == "__main__":
    sys.exit(main())
