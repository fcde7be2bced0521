import subprocess
import sys

import pytest

from data_pipeline.files import locks

HOLD = """
import sys, time
from pathlib import Path
from data_pipeline.files import locks
with locks.held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_is_held_against_other_processes_and_ends_with_its_holder(tmp_path):
    path = tmp_path / ".lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(locks.TakenError), locks.held(path, locks.AT_ONCE):
            pass
    finally:
        holder.kill()
        holder.wait()
    with locks.held(path, locks.AT_ONCE):
        pass


def test_a_lock_is_free_after_an_error(tmp_path):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), locks.held(tmp_path / ".lock", locks.AT_ONCE):
            raise ZeroDivisionError
