"""The peers of `make perf`: tests of the sources hold them to our networks' every answer."""

import native_speed
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.backends


@pytest.mark.parametrize("layout", native_speed.LAYOUTS)
@pytest.mark.parametrize("name", native_speed.NETWORKS)
def test_a_peer_takes_steps_in_both_layouts(name, layout, monkeypatch):
    import torch
    import torch_steps

    monkeypatch.setattr(torch.Tensor, "relu", torch.Tensor.relu)  # put back what it overwrites
    shape = native_speed.NETWORKS[name].shape
    told = torch_steps.measure(name, layout, (32,) * (len(shape) - 1) + shape[-1:], 0.125, 2, 0.0)
    assert torch.Tensor.relu is torch.Tensor.relu_
    assert all(told[what]["s"] > 0 for what in native_speed.WHATS)
