"""What an exported file says of itself: the network, and all that lies between it and a scan."""

import json
from collections.abc import Sequence
from typing import Any

from benchmarks.ensembles import ensemble
from benchmarks.predicting.trained_network import Trained
from data_pipeline.scans import mask_files, search
from zoo import weights

KEY = "gliozoo"  # the entry of a format's own metadata
VERSION = 1


def of(networks: Sequence[Any], trained: Trained | None, form: str) -> dict[str, Any]:
    """Return the facts of models made by `zoo.create`, one or the mean of several, and of use."""
    identities = [weights.identity_of(network) for network in networks]
    identity = identities[0]
    digests = [weights.digest(network) for network in networks]
    return {
        KEY: VERSION,
        "format": form,
        "model": ensemble.title([one.architecture for one in identities]),
        "variant": identity.variant,
        "width": identity.width,
        "input_shape": list(identity.input_shape),
        "classes": identity.classes,
        "weights_sha256": digests[0] if len(digests) == 1 else digests,
        "scan": scan(trained) if trained else None,
    }


def scan(trained: Trained) -> dict[str, Any]:
    """Return what takes a scan to the network, and its answer to a mask."""
    spec, target, evaluation = trained.spec, trained.target, trained.evaluation
    written = mask_files.written_values(search.taught(trained.wanted))
    return {
        "channels": list(spec.channels),
        "rank": spec.rank,
        "size": list(spec.size),
        "normalisation": spec.normalisation,
        "value_range": trained.value_range,
        "exclusive": target.exclusive,
        "classes": [list(values) for values in target.channels],
        "labels": trained.labels,
        "regions": [[name, list(values)] for name, values in target.regions.items()],
        "written": [int(value) for value in written[: 1 + max(trained.labels.values())]],
        "threshold": trained.threshold,
        "smallest": trained.smallest,
        "overlap": evaluation.overlap,
        "blending": evaluation.blending,
        "batch_size": evaluation.batch_size,
        "spacing": trained.spacing,
        "voxels": trained.voxels,
        "layout": trained.layout,
        "version": trained.version,
    }


def text(facts: dict[str, Any]) -> str:
    """Write facts for a format's metadata."""
    return json.dumps(facts, sort_keys=True)


def parsed(written: str | bytes | None) -> dict[str, Any] | None:
    """Read facts back; None where there are none of ours."""
    try:
        found = json.loads(written or "null")
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get(KEY) == VERSION else None
