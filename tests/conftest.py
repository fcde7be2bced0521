"""Every test runs on the backend that the commands would choose, and as they set it up."""

from benchmarks.backends import device

device.select_backend()
