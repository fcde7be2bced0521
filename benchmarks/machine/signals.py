"""What ends a command: Ctrl-C, and SIGTERM as gently."""

import signal


def heed() -> None:
    """Let both interrupt this process, also where a script's `&` has it ignore the first."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
