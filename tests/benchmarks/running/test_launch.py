"""Runs are started wherever their parent's streams lead."""

import io
import sys

from benchmarks.running import launch


def test_a_stream_of_a_notebook_that_is_no_file_is_not_handed_on():
    """As where a kernel's streams are captured: the run writes to the kernel's own."""
    assert launch._of_a_process(io.StringIO()) is None
    assert launch._of_a_process(sys.__stderr__) is sys.__stderr__
