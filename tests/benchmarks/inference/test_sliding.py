"""Sliding windows, against what they must give for networks whose answer is known."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.inference import sliding
from benchmarks.inference.sliding import Windows


@st.composite
def scans(draw):
    rank = draw(st.integers(2, 3))
    sides = draw(st.tuples(*[st.integers(1, 13)] * rank))
    window = draw(st.tuples(*[st.integers(1, 8)] * rank))
    return sides, window


@settings(deadline=None)
@given(
    scans(),
    st.floats(0, 0.95),
    st.sampled_from(["gaussian", "constant"]),
    st.integers(1, 5),
    st.booleans(),
)
def test_a_network_that_returns_its_input_changes_nothing(
    scan, overlap, blending, batch_size, mirror
):
    sides, window = scan
    image = np.random.default_rng(sum(sides)).normal(size=(*sides, 2)).astype(np.float32)
    seen = set()

    def network(batch):
        seen.add(batch.shape[1:])
        return batch

    asked = sliding.mirrored(network, range(len(window))) if mirror else network
    windows = Windows(window, overlap, blending)
    found = sliding.slide(asked, image, windows, batch_size=batch_size)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, image, atol=1e-5)
    assert seen == {(*window, 2)}


def test_windows_stand_a_step_apart_and_the_last_at_the_rim():
    starts = [box[0].start for box in sliding.boxes((20,), (8,), 0.5)]
    assert starts == [0, 4, 8, 12]
    assert [box[0].start for box in sliding.boxes((21,), (8,), 0.25)] == [0, 6, 12, 13]
    assert [box[0].start for box in sliding.boxes((8,), (8,), 0.5)] == [0]


def test_answers_are_averaged_by_their_weights():
    """Two windows over five voxels: what differs between their answers is blended by hand."""
    image = np.arange(5, dtype=np.float32)[:, None]
    calls = iter([0.0, 1.0])

    def network(batch):
        return np.full_like(batch, next(calls))

    found = sliding.slide(network, image, Windows((4,), 0.5, "constant"))[:, 0]
    np.testing.assert_allclose(found, [0, 0.5, 0.5, 0.5, 1])
    bell = np.maximum(np.exp(-0.5 * ((np.arange(4) - 1.5) / 0.5) ** 2), 1e-3)
    calls = iter([0.0, 1.0])
    found = sliding.slide(network, image, Windows((4,), 0.5, "gaussian"))[:, 0]
    np.testing.assert_allclose(found[1:4], bell[:3] / (bell[:3] + bell[1:]), rtol=1e-6)


def test_weights_are_held_for_one_window_deep():
    scan = np.ones((256, 48, 48, 1), np.int16)
    sliding.slide(lambda x: x, scan[:16], Windows((16, 16, 16)))
    tracemalloc.start()
    answer = sliding.slide(lambda x: x, scan, Windows((16, 16, 16)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer.dtype == np.float32
    assert peak < 6 * scan.size  # 4 bytes a voxel are the answer itself


def test_small_scans_stand_in_the_middle_of_their_window():
    seen = []
    image = np.ones((2, 1), np.float32)
    sliding.slide(lambda batch: seen.append(batch) or batch, image, Windows((5,)))
    np.testing.assert_array_equal(seen[0][0, :, 0], [0, 1, 1, 0, 0])


def test_mirroring_averages_over_every_flip():
    weights = np.array([4.0, 2.0, 1.0], np.float32)[:, None]
    image = np.array([[1.0], [10.0], [100.0]], np.float32)[None]
    found = sliding.mirrored(lambda batch: batch * weights, [0])(image)
    np.testing.assert_allclose(found[0, :, 0], [2.5, 20, 250])


def test_progress_sees_every_batch():
    told = []

    def progress(items, total):
        told.append(total)
        yield from items

    image = np.ones((16, 1), np.float32)
    sliding.slide(lambda batch: batch, image, Windows((4,), 0), batch_size=3, progress=progress)
    assert told == [2]


@pytest.mark.slow
@pytest.mark.parametrize("blending", ["gaussian", "constant"])
@pytest.mark.parametrize("sides", [(20, 33, 17), (16, 16, 16), (9, 40, 16)])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5, 0.75])
def test_the_answer_is_that_of_monai(sides, overlap, blending):
    torch = pytest.importorskip("torch")
    inferers = pytest.importorskip("monai.inferers")
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv3d(2, 4, 3, padding=1), torch.nn.Tanh(), torch.nn.Conv3d(4, 3, 3, padding=1)
    )

    def answer(batch):
        with torch.no_grad():
            found = network(torch.from_numpy(np.moveaxis(batch, -1, 1).copy()))
        return np.moveaxis(found.numpy(), 1, -1)

    image = np.random.default_rng(0).normal(size=(*sides, 2)).astype(np.float32)
    windows = Windows((16,) * 3, overlap, blending)
    ours = sliding.slide(answer, image, windows, batch_size=2)
    with torch.no_grad():
        theirs = inferers.sliding_window_inference(
            torch.from_numpy(np.moveaxis(image, -1, 0)[None].copy()),
            (16,) * 3,
            2,
            network,
            overlap=overlap,
            mode=blending,
        )
    np.testing.assert_allclose(ours, np.moveaxis(theirs[0].numpy(), 0, -1), atol=1e-4)
