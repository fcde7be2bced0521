"""The public names of Python on one page; mkdocstrings writes what their docstrings say."""

# What people import, and where it lies.
NAMES = {
    "zoo.names": "zoo.registry.names",
    "zoo.card": "zoo.registry.card",
    "zoo.create": "zoo.creating.create",
    "zoo.Card": "zoo.card.Card",
    "zoo.weights.save": "zoo.weights.save",
    "zoo.weights.restore": "zoo.weights.restore",
    "data_pipeline.load": "data_pipeline.loading.load",
    "data_pipeline.DataSpec": "data_pipeline.spec.DataSpec",
    "benchmarks.bench": "benchmarks.python.runs.bench",
    "benchmarks.predict": "benchmarks.python.networks.predict",
    "benchmarks.evaluate": "benchmarks.python.networks.evaluate",
    "benchmarks.frame": "benchmarks.python.frames.frame",
    "benchmarks.reliability": "benchmarks.python.frames.reliability",
    "benchmarks.metrics.score": "benchmarks.scoring.metrics.score",
    "benchmarks.metrics.measure": "benchmarks.scoring.metrics.measure",
    "benchmarks.flops.count": "benchmarks.cost.flops.count",
}


def page() -> str:
    """Return a section for each name."""
    parts = ["# Python", "The names that do not move; all else may."]
    for public, home in NAMES.items():
        parts.append(
            f"::: {home}\n    options:\n      heading: {public}\n      toc_label: {public}"
        )
    return "\n\n".join(parts) + "\n"
