"""How does a scan look, with its masks: one page for the browser that asks no network."""
