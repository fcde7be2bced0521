"""The presets that are shipped: whole, small, and each file used by one of them."""

from zoo import weights
from zoo.presets import fetching, manifest, shelf

LARGEST, TOGETHER = 5 << 20, 20 << 20


def test_what_is_shipped_is_what_the_manifest_says():
    total, named = 0, set()
    for preset in manifest.read(shelf.SHIPPED).values():
        assert preset.licence_weights
        assert preset.limits
        for file in preset.files:
            path = shelf.SHIPPED / file.file
            if not path.exists():
                assert file.url, f"{file.file} is neither here nor anywhere else"
                continue
            named.add(path.name)
            fetching.verify(path, file)
            assert path.stat().st_size == file.bytes <= LARGEST
            assert weights.read(path)[0].identity.architecture == preset.model
            total += file.bytes
    assert total <= TOGETHER
    assert {path.name for path in shelf.SHIPPED.glob("*.safetensors")} == named
