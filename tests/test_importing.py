"""Importing is plain: it loads the systems, in whichever order, leaves no hook behind and warns of nothing."""

import subprocess
import sys

import pytest

import keras_ijae as ki

PROGRAM = """
import sys
{imports}
assert not [hook for hook in sys.meta_path if type(hook).__module__.startswith("keras_ijae")]
assert not {{"tensorflow_probability", "tf_keras", "tensorflow_datasets", "tensorflow_hub"}} & set(sys.modules)
print(type(keras.models.load_model(sys.argv[1])).__name__)
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "gan.keras"
    ki.create("gan", data_shape=(4,), latent_dim=2, width=4).save(path)
    return path


@pytest.mark.parametrize("imports", ["import keras_ijae, keras", "import keras, keras_ijae"])
@pytest.mark.slow
def test_a_fresh_process_loads_a_saved_system(saved, imports):
    program = PROGRAM.format(imports=imports)
    done = subprocess.run([sys.executable, "-W", "error", "-c", program, saved], capture_output=True, text=True)
    assert done.stdout.strip() == "GAN", done.stderr[-2000:]


def test_every_public_name_is_there_and_no_other():
    rooms = [getattr(ki, name) for name in ki.__all__ if hasattr(getattr(ki, name), "__path__")]
    assert ki.models in rooms
    assert all(getattr(ki.models, entry.system.__name__) is entry.system for entry in ki.game.ENTRIES.values())
    for room in [ki, *(room for room in rooms if room is not ki.models)]:  # whose imports are its list of names
        assert all(getattr(room, name) is not None for name in room.__all__), room.__name__
        assert len(room.__all__) == len(set(room.__all__)), room.__name__
        with pytest.raises(AttributeError, match="nonsense"):
            room.nonsense  # noqa: B018
