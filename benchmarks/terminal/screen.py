"""Whether somebody sits before a screen, and a page or picture opened there."""

import os
import sys
import webbrowser
from contextlib import suppress


def open_page(address: str) -> None:
    """Open an address in the browser where there are a screen and a terminal; else do nothing."""
    screen = sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY")
    if screen and sys.stdout.isatty():
        with suppress(webbrowser.Error):
            webbrowser.open(address)
