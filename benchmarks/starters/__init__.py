"""What `gliozoo new` writes: a file of each kind to start from, that works as it is."""

from pathlib import Path

FOLDER = Path(__file__).parent
KINDS = {
    "model": "model.py.txt",
    "protocol": "protocol.toml",
    "dataset": "dataset.toml",
    "loss": "loss.py.txt",
    "metric": "metric.py.txt",
}
NEXT = {
    "model": "gliozoo check {path}",
    "protocol": "gliozoo bench unet --protocol {path}",
    "dataset": "gliozoo data check {folder}",
    "loss": 'loss = "./{path.name}:mine+dice" under [train] of a protocol beside it',
    "metric": 'metrics = ["./{path.name}:mine"] under [evaluate] of a protocol beside it',
}


def text(kind: str) -> str:
    """Return the content of a kind's file."""
    return (FOLDER / KINDS[kind]).read_text(encoding="utf-8")
