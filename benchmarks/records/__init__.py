"""One run, one JSON file: where it lies, how it is written, read and verified."""
