"""One network in every runtime of this machine: how fast, how large, and whether as good."""
