"""Every test runs on the backend that the commands would choose, and as they set it up.

Pages are looked at in Debian's Chromium, where it is there with playwright and axe-core.
"""

import shutil

import pytest

from benchmarks.backends import device

device.select_backend()
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
