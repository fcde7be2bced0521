"""`Identity`: which data a run learns from and is scored on, in two digests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """The content of the data with its preparation, and who is in which set."""

    fingerprint: str
    split_digest: str

    def as_json(self) -> dict[str, str]:
        """Give plain values, under the names that records use."""
        return {"fingerprint": self.fingerprint, "split_digest": self.split_digest}
