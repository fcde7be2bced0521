"""Memory is lent again only when nobody can see it any more."""

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from data_pipeline import load
from data_pipeline.feeding.buffers import ALIGNED, Buffers

SHAPE = (3, 5, 7)


def test_what_is_let_go_is_lent_again_and_nothing_else():
    buffers = Buffers()
    first, second = (buffers.lend(SHAPE, np.float32) for _ in range(2))
    assert not np.shares_memory(first, second)
    place, view = first.ctypes.data, first[1:, 2]
    del first
    assert buffers.lend(SHAPE, np.float32).ctypes.data != place  # a view of it is still held
    del view
    gc.collect()
    lent = [buffers.lend(SHAPE, np.float32) for _ in range(3)]
    assert place in [one.ctypes.data for one in lent]
    assert len({one.ctypes.data for one in lent} | {second.ctypes.data}) == 4


def test_other_sizes_and_kinds_stand_where_tensorflow_takes_them_over():
    buffers = Buffers()
    for dtype in (np.uint8, np.int16, np.float32):
        for side in (1, 33, 70):
            array = buffers.lend((side, side, 3), dtype)
            assert (array.shape, array.dtype) == ((side, side, 3), dtype)
            assert array.flags.c_contiguous
            assert array.flags.writeable
            assert array.ctypes.data % ALIGNED == 0


def test_threads_are_never_lent_the_same():
    buffers = Buffers()

    def work(number: int) -> bool:
        mine = [buffers.lend((400,), np.uint8) for _ in range(4)]
        for place, array in enumerate(mine):
            array[...] = (number + place) % 256
        return all((array == (number + place) % 256).all() for place, array in enumerate(mine))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(400)))


def test_batches_that_are_held_stay_as_they_were(flat, solid, cache):
    for spec in (flat, solid):
        pipeline = load(spec, cache=cache).pipelines["train"]
        held = [batch for _, batch in zip(range(12), pipeline.iterator(0, None), strict=False)]
        for number, (images, targets) in enumerate(held):
            again = pipeline.batch(number)
            np.testing.assert_array_equal(images, again[0])
            np.testing.assert_array_equal(targets, again[1])
