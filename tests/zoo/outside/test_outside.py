"""Architectures from files and packages: found without being run, refused in a sentence."""

import hashlib
import importlib
import subprocess
import sys

import keras
import numpy as np
import outside_models
import pytest

import zoo
from zoo import registry, weights

SHAPE = (16, 16, 3)


@pytest.fixture
def mine(tmp_path) -> str:
    return outside_models.write(tmp_path, "mine")


@pytest.fixture
def installed(tmp_path, monkeypatch):
    outside_models.install(tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")
    importlib.invalidate_caches()
    yield "their_unet"
    for name in [name for name in sys.modules if name.startswith("their_unet_package")]:
        del sys.modules[name]


def refusal(call) -> str:
    with pytest.raises(zoo.UserError) as refused:
        call()
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_file_is_known_by_its_name_and_the_hash_of_its_bytes(mine, tmp_path):
    found = registry.origin_of(mine)
    assert registry.name_of(mine) == "mine"
    assert found.as_json() == {
        "kind": "file",
        "name": "mine.py",
        "version": None,
        "sha256": hashlib.sha256((tmp_path / "mine.py").read_bytes()).hexdigest(),
    }
    assert zoo.card(mine).claims == ()


def test_a_model_of_a_file_is_built_and_scaled(mine):
    model = zoo.create(mine, SHAPE, 1)
    half = zoo.create(mine, SHAPE, 1, width=0.5)
    assert model.output_shape == (None, 16, 16, 1)
    assert model.zoo_identity.architecture == "mine"
    assert half.count_params() < model.count_params() / 3


def test_neither_a_file_nor_a_package_is_run_before_it_is_built(tmp_path):
    loud = outside_models.write(tmp_path, "loud", "open('ran', 'w')\n" + outside_models.SOUND)
    outside_models.install(tmp_path / "site", source="open('ran', 'w')\n" + outside_models.SOUND)
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path / "site")!r})
import zoo
from zoo import registry
from zoo.outside import packages
assert zoo.card({loud!r}).title == "loud"
assert registry.origin_of("their_unet").version == "1.2"
assert packages.told() == {{"their_unet": "their-unet-package 1.2"}}
assert not {{"keras", "their_unet_package"}} & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()


def test_a_card_of_ones_own_is_read_and_claims_nothing(tmp_path):
    card = (
        "from zoo import Card, Published\n"
        "CARD = Card(title='Mine', paper='none', source='here', ranks=(2,), classes=1,\n"
        "    input_shape=(32, 32, 3), references=(), claims=(Published('x', {'dice': .99}),))\n"
    )
    name = outside_models.write(tmp_path, "mine", card + outside_models.SOUND)
    assert (zoo.card(name).title, zoo.card(name).claims) == ("Mine", ())
    assert "rank" not in refusal(lambda: zoo.create(name, (16, 16, 16, 3)))
    bad = outside_models.write(tmp_path, "bad", "CARD = Card(title=x)\n" + outside_models.SOUND)
    assert "leave it out" in refusal(lambda: zoo.card(bad))
    odd = outside_models.write(tmp_path, "odd", "CARD = 3\n" + outside_models.SOUND)
    assert "no zoo.Card" in refusal(lambda: zoo.card(odd))


def test_a_function_of_ones_own_counts(tmp_path):
    source = outside_models.SOUND.replace(
        "def build(input_shape, classes, *, widths=(8, 16)):",
        "def make_net(num_classes=2, shape=(8, 8, 1), widths=(4, 4)):\n"
        "    input_shape, classes = shape, num_classes",
    )
    path = outside_models.write(tmp_path, "mine", source)
    assert "mine.py:make_net" in refusal(lambda: zoo.create(path, SHAPE, 1))
    model = zoo.create(f"{path}:make_net", SHAPE, 4)
    assert model.output_shape == (None, 16, 16, 4)
    assert registry.name_of(f"{path}:make_net") == "make_net"
    assert registry.origin_of(f"{path}:make_net").name == "mine.py:make_net"


def test_another_source_under_the_same_name_has_another_identity(mine, tmp_path):
    before = registry.origin_of(mine)
    outside_models.write(tmp_path, "mine", outside_models.SOUND + "\n# changed\n")
    assert registry.origin_of(mine).sha256 != before.sha256


def test_a_package_is_known_by_all_of_its_python(installed, tmp_path):
    before = registry.origin_of(installed)
    assert (before.kind, before.name, before.version) == ("package", "their-unet-package", "1.2")
    model = zoo.create(installed, SHAPE, 1)
    assert model.zoo_identity.origin == before
    (tmp_path / "site" / "their_unet_package" / "helper.py").write_text("x = 1\n")
    assert registry.origin_of(installed).sha256 != before.sha256


def test_an_entry_point_that_does_not_import_and_one_that_is_gone(tmp_path, monkeypatch):
    outside_models.install(tmp_path / "a", "broken_net", "import no_such_module_here\n")
    outside_models.install(tmp_path / "b", "gone_net")
    for path in (tmp_path / "b" / "gone_net_package").iterdir():
        path.unlink()
    (tmp_path / "b" / "gone_net_package").rmdir()
    for part in ("a", "b"):
        monkeypatch.syspath_prepend(tmp_path / part)
    assert "no_such_module_here" in refusal(lambda: zoo.create("broken_net", SHAPE))
    assert "install the package again" in refusal(lambda: zoo.create("gone_net", SHAPE))
    assert "Did you mean 'broken_net'" in refusal(lambda: zoo.card("broken_nett"))


def test_names_that_are_taken_and_files_that_are_not_there(tmp_path):
    taken = outside_models.write(tmp_path, "unet")
    assert "rename the file" in refusal(lambda: zoo.card(taken))
    assert "gliozoo new model" in refusal(lambda: zoo.card(str(tmp_path / "none.py")))
    odd = outside_models.write(tmp_path, "=cmd()")
    assert "rename the file" in refusal(lambda: zoo.card(odd))
    (tmp_path / "folder.py").mkdir()
    assert "can't be read" in refusal(lambda: zoo.card(str(tmp_path / "folder.py")))


def test_what_lies_beside_a_file_is_not_imported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beside_it.py").write_text("x = 1\n")
    outside_models.write(tmp_path, "mine", "import beside_it\n" + outside_models.SOUND)
    assert "stands alone" in refusal(lambda: zoo.create("./mine.py", SHAPE))


def test_weights_name_no_code_and_are_restored_with_their_source(mine, tmp_path):
    model = zoo.create(mine, SHAPE, 1)
    path = tmp_path / "mine.safetensors"
    weights.save(model, path)
    assert weights.header(path).identity == model.zoo_identity
    assert "with --model" in refusal(lambda: weights.restore(path))
    keras.utils.set_random_seed(3)
    again = weights.restore(path, mine)
    x = np.random.default_rng(0).random((1, *SHAPE), "float32")
    np.testing.assert_array_equal(model(x), again(x))
    outside_models.write(tmp_path, "mine", outside_models.SOUND + "# another\n")
    assert "another source" in refusal(lambda: weights.restore(path, mine))
    assert "another source" in refusal(lambda: weights.restore(path, "unet"))


def test_weights_of_the_zoo_take_no_source_of_another(mine, tmp_path):
    path = tmp_path / "unet.safetensors"
    weights.save(zoo.create("unet", (32, 32, 3), 1, width=0.125), path)
    assert "not of" in refusal(lambda: weights.restore(path, mine))
    weights.restore(path, "unet")


def test_nested_and_nameless_layers_keep_their_weights(tmp_path):
    source = """
import keras
from keras import layers

def block(width):
    return keras.Sequential([layers.Conv2D(width, 3, padding="same") for _ in range(2)])

def build(input_shape, classes):
    image = layers.Input(input_shape)
    x = block(4)(image)
    return keras.Model(image, layers.Conv2D(classes, 1, activation="sigmoid", dtype="float32")(x))
"""
    name = outside_models.write(tmp_path, "nested", source)
    model = zoo.create(name, SHAPE, 1)
    path = tmp_path / "w.safetensors"
    weights.save(model, path)
    assert len(weights.arrays(model)) == 6
    again = weights.restore(path, name)
    for mine, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
