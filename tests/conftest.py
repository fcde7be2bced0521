"""Every test runs on the backend that the commands would choose, and as they set it up.

Pages are looked at in Debian's Chromium, where it is there with playwright and axe-core. `--light`
leaves out what imports Keras.
"""

import gc
import importlib.abc
import importlib.machinery
import shutil
import sys

import pytest

from benchmarks.backends import device
from benchmarks.cost import timing

HEAVY = ("keras", "tensorflow", "jax", "torch")
FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",  # WebGL 2 without a graphics card
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

device.select_backend()
# Runs are timed as ever, but no longer than they must be.
timing.IN_A_RUN = 0.0
timing.MATRIX_SIDE["cpu"] = 256


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


def pytest_collection_finish():
    """Leave what is there by now, TensorFlow above all, out of each search for garbage."""
    gc.freeze()


@pytest.fixture(scope="session")
def chromium():
    """Return where Chromium lies; what needs it is skipped where it or playwright is missing."""
    pytest.importorskip("playwright", reason="needs playwright: pip install 'gliozoo[web]'")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    return found


@pytest.fixture(scope="module")
def browser(chromium):
    from playwright import sync_api

    with sync_api.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def serious():
    """Return a function that lists what axe finds serious or critical in a tab."""
    reason = "needs axe-core: pip install 'gliozoo[web]'"
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason=reason)

    def listed(tab) -> list[tuple[str, list[str]]]:
        rules = axe.Axe().run(tab).response["violations"]
        return [
            (rule["id"], [node["html"][:120] for node in rule["nodes"][:3]])
            for rule in rules
            if rule["impact"] in ("serious", "critical")
        ]

    return listed
