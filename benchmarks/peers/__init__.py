"""The same work written natively in other frameworks, to measure ours against; run by hand only."""
