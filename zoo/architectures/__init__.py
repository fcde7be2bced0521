"""One file, one paper; a file's name is the architecture's name."""
