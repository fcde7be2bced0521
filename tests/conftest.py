"""Every test runs on the backend that the commands would choose, and as they set it up."""

import importlib.abc
import importlib.machinery
import sys

import pytest

from benchmarks.backends import device

HEAVY = ("keras", "tensorflow", "jax", "torch")

device.select_backend()


class Heavy(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds what takes seconds to import, and skips the test or the file that imports it."""

    def find_spec(self, name, path=None, target=None):
        """Find it, so that whoever only asks whether it is there has an answer."""
        if name not in HEAVY:
            return None
        return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec):
        """Skip."""
        pytest.skip(f"needs {spec.name}", allow_module_level=True)

    def exec_module(self, module):
        """Never come here."""


@pytest.fixture
def keras_elsewhere(request):
    """Skip a test whose other processes import Keras, too."""
    if request.config.getoption("--light"):
        pytest.skip("needs keras in another process")


def pytest_addoption(parser):
    """Declare `--light`."""
    parser.addoption("--light", action="store_true", help="skip what imports Keras: seconds")


def pytest_configure(config):
    """Put the finder first, before any test is imported."""
    if config.getoption("--light"):
        sys.meta_path.insert(0, Heavy())
