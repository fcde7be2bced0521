"""Keeps the native libraries from talking while they start: nothing of it can be acted upon."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silence() -> Iterator[None]:
    """Send file descriptor 2 nowhere; exceptions are raised as ever.

    TensorFlow's logger heeds TF_CPP_MIN_LOG_LEVEL only once it runs; its first lines come earlier.
    """
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
