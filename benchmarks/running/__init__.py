"""One run, from the command to its record, in a process of its own."""
