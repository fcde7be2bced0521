"""Weights files and checkpoints made bad: each loads to identical values or ends in a sentence.

No Keras is needed: what a file says is believed or refused before a network is built from it.
"""

import json
import struct

import mutate
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save

import zoo
from benchmarks.errors import USER_ERRORS
from benchmarks.predicting import trained_network
from benchmarks.protocols.protocol import Evaluation
from benchmarks.training import generation
from benchmarks.training.generation import Generation
from benchmarks.training.state import State
from data_pipeline import DataSpec
from zoo.weights_files import headers, sealed, weights_file

GENERATOR = np.random.default_rng(0)
TENSORS = {
    "down0_conv/kernel": GENERATOR.normal(size=(3, 3, 3, 4)).astype("float32"),
    "down0_conv/bias": np.zeros(4, np.float32),
    "norm/count": np.array(3, np.int32),
}
USE = trained_network.Trained(
    DataSpec(size=(32, 32)),
    "lgg",
    None,
    {"background": 0, "tumour": 1},
    {"tumour": (1,)},
    None,
    0.35,
    Evaluation(),
)
FACTS = {
    "architecture": "sa_unet",
    "variant": None,
    "input_shape": [32, 32, 3],
    "classes": 1,
    "width": 0.125,
    "settings": {"keep": 0.9, "widths": [4, 8, 16], "mean_first": True},
    "card_digest": zoo.card("sa_unet").digest(),
    "about": USE.as_json(),
}
ROWS = tuple(
    {"epoch": epoch, "loss": 0.5, "val_loss": 0.4, "val_dice": dice, "seconds": 2.0}
    for epoch, dice in enumerate((0.3, 0.6, 0.5), 1)
)
STATE = State(ROWS, best_epoch=2, best_dice=0.6, waited=1, stalled=1, seconds=6.0)
GENERATION = Generation({"model": "unet", "seed": 0, "protocol_digest": "d" * 64}, STATE, TENSORS)
KINDS = ("weights", "checkpoint")


def weights(path):
    """Everything that a weights file gives, as values that can be compared."""
    header, tensors = weights_file.read(path)
    assert weights_file.header(path) == header
    return header, trained_network.read(path), plain(tensors)


def checkpoint(path):
    found = generation.read(path)
    return found.identity, found.state, plain(found.tensors)


def plain(tensors):
    return {name: (t.dtype.str, t.shape, t.tobytes()) for name, t in tensors.items()}


READERS = {"weights": weights, "checkpoint": checkpoint}


def refusal(kind, path) -> str | None:
    """Return the sentence that a file ends in, None where it loads; all else is a bug."""
    try:
        READERS[kind](path)
    except (*USER_ERRORS, sealed.DamagedError) as error:
        sentence = str(error)
    else:
        return None
    assert "\n" not in sentence
    return sentence


@pytest.fixture
def good(tmp_path):
    """A whole file of each kind."""
    paths = {kind: tmp_path / f"{kind}.safetensors" for kind in KINDS}
    weights_file.write(paths["weights"], TENSORS, FACTS)
    paths["checkpoint"].write_bytes(generation.pack(GENERATION))
    return paths


def identical_or_refused(kind, path, contents) -> int:
    """Read each content from a file of its own name; count those that still load."""
    expected, loaded = READERS[kind](path), 0
    spoilt = path.with_name("spoilt.safetensors")
    for content in contents:
        spoilt.write_bytes(content)
        if refusal(kind, spoilt) is None:
            assert READERS[kind](spoilt) == expected
            loaded += 1
    return loaded


def header_end(content: bytes) -> int:
    return 8 + struct.unpack("<Q", content[:8])[0]


def flips(content: bytes, step: int):
    """Every `step`-th single bit of length and header, each flipped alone."""
    for bit in range(0, 8 * header_end(content), step):
        spoilt = bytearray(content)
        spoilt[bit // 8] ^= 1 << bit % 8
        yield bytes(spoilt)


def cuts(content: bytes, step: int):
    return (content[:end] for end in range(0, len(content), step))


def damaged(content: bytes, count: int):
    return (case.content for case in mutate.files(content, count=count))


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_loads_as_it_was_or_not_at_all(kind, good):
    content = good[kind].read_bytes()
    prime = 331  # so that all eight bits of a byte have their turn
    assert identical_or_refused(kind, good[kind], flips(content, prime)) == 0
    assert identical_or_refused(kind, good[kind], cuts(content, 97)) == 0
    identical_or_refused(kind, good[kind], damaged(content, 60))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_bit_of_a_header_is_sealed(kind, good):
    content = good[kind].read_bytes()
    assert identical_or_refused(kind, good[kind], flips(content, 1)) == 0
    assert identical_or_refused(kind, good[kind], cuts(content, 3)) == 0
    identical_or_refused(kind, good[kind], damaged(content, mutate.MANY))


def forged(path, count: int):
    """Facts changed by who can compute a seal: the document in the header, spoilt and sealed."""
    with safe_open(path, framework="numpy") as file:
        facts = {k: json.loads(v) for k, v in file.metadata().items() if k != "seal"}
    for case in mutate.documents(facts, count=count):
        try:
            changed = json.loads(case.content)
            yield sealed.pack(TENSORS, changed if isinstance(changed, dict) else {"about": changed})
        except (ValueError, TypeError, RecursionError):
            continue  # what can't be written can't be forged


def crafted(path, count: int):
    """The safetensors header itself spoilt: names, types, shapes, places and the facts' text."""
    content = path.read_bytes()
    end = header_end(content)
    for case in mutate.documents(json.loads(content[8:end]), count=count):
        yield struct.pack("<Q", len(case.content)) + case.content + content[end:]


@pytest.mark.parametrize("kind", KINDS)
def test_a_crafted_file_ends_in_a_sentence(kind, good):
    ended_in_a_sentence(kind, good[kind], 50)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_crafted_files_end_in_a_sentence(kind, good):
    ended_in_a_sentence(kind, good[kind], mutate.MANY)


def ended_in_a_sentence(kind, path, count):
    spoilt = path.with_name("spoilt.safetensors")
    refused = 0
    for make in (forged, crafted):
        for content in make(path, count):
            spoilt.write_bytes(content)
            refused += refusal(kind, spoilt) is not None
    assert refused > count


HOSTILE = {
    "architecture": ["../unet", "UNET", None, 3, ["unet"], {"a": 1}, "x" * 10**6],
    "variant": ["none", 0, [], {}],
    "input_shape": [
        *([], [32], [32, 32], [32, 32, None], [32, 32, 0], [32, 32, -3], [2**20, 2**20, 3]),
        *([32.0, 32, 3], ["32", 32, 3], [True, 32, 3], [10**400, 32, 3], "32x32x3", None),
        *([32] * 4 + [3], [32, 32, 2**40], {}),
    ],
    "classes": [0, -1, 257, 1.0, True, "1", None, 10**400, [1]],
    "width": [0, -1, 65, float("nan"), float("inf"), True, "1", None, 10**400],
    "settings": [
        *(None, [], "keep", {"keep": {"a": 1}}, {"keep": float("nan")}, {"block": 10**9}),
        *({"widths": []}, {"widths": [10**9]}, {"widths": [[1]]}, {"keep": "x" * 65}),
        *({"widths": [True]}, {"widths": [0]}, {"block": 10**400}),
    ],
    "card_digest": [None, "", "g" * 64, 5],
    "about": [None, [], "x", 3],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_entry_out_of_its_range_is_named(name, tmp_path):
    path = tmp_path / "weights.safetensors"
    for value in HOSTILE[name]:
        weights_file.write(path, TENSORS, {**FACTS, name: value})
        assert name in (refusal("weights", path) or ""), value


USES = {
    "threshold": [0, 1, -0.5, 1.5, float("nan"), True, "0.5", None, 10**400],
    "smallest": [-0.1, 1.1, float("nan"), True, "0.1", None, 10**400],
    "layout": [None, "../kaggle", [], 3],
    "version": ["1999", 2021, []],
    "labels": [None, [], {}, {"tumour": 0}, {"tumour": 256}, {"tumour": 1.0}, {"tumour": [1]}],
    "regions": [
        *(None, [], {}, [["tumour"]], [["tumour", []]], [["tumour", [2]]], [[1, [1]]]),
        *([["tumour", [1]], ["tumour", [1]]], [["tumour", 1]], ["tumour"]),
    ],
    "spacing": [3, [], [[1, 2]], [[2, 1]] * 3, [[0, 1]] * 3, [["1", 2]] * 3, [[1, 1e400]] * 3],
    "evaluation": [
        *(None, [], {"batch_size": 0}, {"batch_size": 10**9}, {"overlap": 1}, {"overlap": "0"}),
        *({"threshold": 7}, {"smallest": 2}, {"policy": []}, {"unknown": 1}, {"batch_size": True}),
    ],
    "value_range": [None, "", "bytes", [], {}],
    "spec": [
        *(None, [], {"size": [64, 64]}, {"channels": ["t1"]}, {"channels": [1, 2, 3]}),
        *({"size": "32"}, {"rank": 3}, {"normalisation": "raw"}, {"normalisation": []}),
        *({"target": "labels"}, {"augmentation": {"x": 1}}, {"phantom": {"x": 1}}, {"x": 1}),
    ],
}


@pytest.mark.parametrize("name", USES)
def test_a_use_out_of_its_range_is_refused(name, tmp_path):
    path = tmp_path / "weights.safetensors"
    about = USE.as_json()
    for value in USES[name]:
        changed = {**about[name], **value} if isinstance(value, dict) and value else value
        if name == "labels":
            changed = value
        weights_file.write(path, TENSORS, {**FACTS, "about": {**about, name: changed}})
        assert "how images are to be prepared" in (refusal("weights", path) or ""), value


@pytest.mark.parametrize(
    "name", sorted(USE.as_json().keys() - {"value_range", "images", "smallest"})
)
def test_a_use_that_is_not_all_there_is_refused(name, tmp_path):
    path = tmp_path / "weights.safetensors"
    about = {key: value for key, value in USE.as_json().items() if key != name}
    weights_file.write(path, TENSORS, {**FACTS, "about": about})
    assert repr(name) in (refusal("weights", path) or "")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_refused(value, tmp_path):
    path = tmp_path / "weights.safetensors"
    tensors = {name: np.array(tensor) for name, tensor in TENSORS.items()}
    tensors["down0_conv/bias"][2] = value
    weights_file.write(path, tensors, FACTS)
    assert "down0_conv/bias" in (refusal("weights", path) or "")


def test_a_file_names_no_place_to_take_weights_from(tmp_path):
    path = tmp_path / "weights.safetensors"
    settings = {"encoder_weights": "/etc/passwd"}
    weights_file.write(path, TENSORS, {**FACTS, "settings": settings})
    assert weights_file.header(path).identity.settings == {}


def test_files_of_before_seals_are_read(good):
    """Written as this project did until it sealed files: no seal, the same digest of tensors."""
    expected = {kind: READERS[kind](path) for kind, path in good.items()}
    for kind, path in good.items():
        with safe_open(path, framework="numpy") as file:
            facts = {name: text for name, text in file.metadata().items() if name != "seal"}
        path.write_bytes(save(TENSORS, facts))
        assert READERS[kind](path) == expected[kind]


def test_the_digest_of_the_tensors_means_what_it_meant(good):
    """Records hold it, so it may never change: this number was written by the first version."""
    assert weights_file.header(good["weights"]).sha256 == weights_file.digest(TENSORS)
    tensors = {"a/kernel": np.arange(6, dtype="<f4").reshape(2, 3), "b/count": np.array(3, "<i4")}
    assert weights_file.digest(tensors) == (
        "d0db9dbe21fb3a4bcdbf643b5ca29e681b1fe6b9baeb55f7c79c3443496199c3"
    )


def test_bounds_are_above_what_the_zoo_needs():
    for name in zoo.names():
        card = zoo.card(name)
        assert card.classes <= headers.CLASSES
        assert np.prod(card.input_shape) <= headers.VALUES
