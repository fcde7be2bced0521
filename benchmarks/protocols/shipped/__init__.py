"""The protocols. The folder is the registry: one file, one protocol."""
