"""What the documentation site shows, and out of what: `make docs` builds it into `site/`."""
