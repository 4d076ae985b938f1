"""Whatever a command is given, it does what it says, or ends with one line that names it and leaves nothing."""

import contextlib
import io
import json
import tempfile
import types
from pathlib import Path

import pytest
import tensorflow as tf
from anything import CASES, FEW, NUMBERS, WORDS
from command import run
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keras_ijae import explorer
from keras_ijae.distributions.priors import FITTED
from keras_ijae.lab import experiments
from keras_ijae.training import trainer
from keras_ijae.training.data import training_data
from keras_ijae.training.recipes import check_names

# What is right, said anew: an option is refused if and only if its text is not here ------------------------


def number_in(text, kind):
    try:
        return kind(text)
    except (ValueError, OverflowError):
        return None


def whole(least, most=2**31 - 1):
    return lambda text: (found := number_in(text, int)) is not None and least <= found <= most


def real(least, most, above=False):
    def fits(text):
        found = number_in(text, float)
        return found is not None and least <= found <= most and not (above and found == least)

    return fits


def weight(text):
    """A JSON number from 0 to 1e12."""
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found <= 1e12


def is_clear(text):
    """Not "1.0" nor "1e3", nor digits of other scripts, which versions of Typer read as numbers or not."""
    found = number_in(text, float)
    return found is None or (text.isascii() and (number_in(text, int) is not None or not found.is_integer()))


TEXTS = st.one_of(NUMBERS, WORDS, st.sampled_from(["1", "0x1", " 7 ", "mirrored", "dcgan", "digits"]))
TEXTS = TEXTS.map(str).filter(is_clear)
RIGHT = {
    "epochs": whole(1),
    "batch-size": whole(1),
    "every": whole(1),
    "every-steps": whole(1),
    "latent-dim": whole(1, 2**16),
    "width": whole(1, 2**16),
    "classes": whole(2),
    "seed": whole(0),
    "learning-rate": real(0, 1e12, above=True),
    "networks": ("auto", "mlp", "dcgan", "resnet").__contains__,
    "strategy": ("none", "mirrored").__contains__,
    "dataset": "digits".__eq__,
    "set": weight,
}


class Worked(BaseException):
    """Raised where real work would begin."""


def begins(*arguments, **options):
    raise Worked


def said_by(*arguments):
    """The status of a command, None where it began to work, and what it said without the frame of a usage error."""
    heard = io.StringIO()
    try:
        with contextlib.redirect_stderr(heard), contextlib.redirect_stdout(io.StringIO()):
            status = run(*arguments)
    except Worked:
        status = None
    return status, heard.getvalue()


def check_refused(status, said, *why):
    """One line of ours, or Typer's about the usage, which has any of `why`."""
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    assert status == 2 and "Traceback" not in said and (len(errors) == 1) != ("Usage: " in said), said
    squeezed = "".join(said.replace("\u2502", "").split())
    assert any(word.replace(" ", "") in squeezed for word in why), (why, said)


@pytest.fixture(scope="module")
def untrained(trained):
    """`keras-ijae train` without a step, once `trained` stands: what comes before, and a tiny model for arguments."""

    def instead(recipe, run, callbacks=(), overwrite=False):
        check_names(recipe)
        training_data(recipe.but(batch_size=8, width=1))
        if recipe.arguments:
            trainer.build(recipe.but(latent_dim=2, width=4, networks="mlp"), (8, 8, 1))
        return types.SimpleNamespace(awaits_fit=False, data_shape=(2,))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "train", instead)
        yield


@pytest.mark.slow
@FEW
@given(st.sampled_from(sorted(RIGHT)), TEXTS)
def test_an_option_of_train_is_taken_or_refused_by_its_name_and_leaves_nothing(untrained, option, text):
    given_ = {"dataset": "digits", option: f"beta={text}" if option == "set" else text}
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "run"
        status, said = said_by("train", "vae", "--out", out, *(f"--{name}={value}" for name, value in given_.items()))
        assert not out.exists()
    assert (status == 0) == bool(RIGHT[option](text)), (option, text, said)
    if status != 0:
        check_refused(status, said, f"--{option}")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run directory of a VAE after an epoch of three steps."""
    directory = tmp_path_factory.mktemp("runs") / "vae"
    small = ["--networks", "mlp", "--width", 8, "--batch-size", 500, "--latent-dim", 2, "--epochs", 1]
    assert run("train", "vae", "--dataset", "digits", *small, "--out", directory) == 0
    return directory


def number_or_word(*right):
    return TEXTS.filter(lambda text: not any(fits(text) for fits in right))


def everything_in(directory):
    """path -> content of all files, but for the lock that a writer takes."""
    files = [path for path in directory.rglob("*") if path.is_file() and not path.name.startswith(".writer")]
    return {path: path.read_bytes() for path in files}


def none_of(names):
    return TEXTS.filter(lambda text: text not in names and "\0" not in text)


NO_PICTURE = st.sampled_from(["a.txt", "a", "."])
NO_RUN = st.sampled_from(["nothing", "file.keras", "empty", "foreign"])
# command -> option or argument -> what it must refuse, none of which is work. RUN and FILE stand for a run and a place.
WRONG = {
    "fit-prior": {"--prior": none_of([*FITTED, ""]), "--seed": number_or_word(whole(0, 2**32 - 1)), "RUN": NO_RUN},
    "film": {
        "--fps": number_or_word(real(0, 50, above=True)),
        "--name": none_of(["samples", "reconstructions"]),
        "--out": NO_PICTURE,
        "RUN": NO_RUN,
    },
    "compare": {"RUN": NO_RUN, "RUNS": st.just("")},
    "report": {"--out": NO_PICTURE, "RUN": NO_RUN},
    "info": {"RUN": NO_RUN},
    "explore": {
        "--count": number_or_word(whole(2, 10_000)),
        "--port": number_or_word(whole(0, 65535)),
        "--dataset": none_of(["digits", ""]),
        "--split": none_of(["test", "train", ""]),
        "RUN": NO_RUN,
    },
    "lab": {"--figure": NO_PICTURE, "--seed": number_or_word(whole(0, 2**400)), "NAME": none_of(experiments.NAMES)},
}
NEEDED = {"fit-prior": {"--prior": "normal"}, "film": {"--out": "OUT.gif"}, "report": {"--out": "OUT.html"}}


def arguments_with(command, wrong, value, trained, directory):
    """A whole command line in which one thing is wrong."""
    options = {**NEEDED.get(command, {}), **({wrong: value} if wrong.startswith("--") else {})}
    places = {name: directory / text if name in ("--out", "--figure") else text for name, text in options.items()}
    runs = [trained, trained] if command == "compare" else [trained]
    if command == "lab":
        runs = [value if wrong == "NAME" else "mean-field"]
    elif wrong == "RUN":
        runs[-1] = directory / value
    elif wrong == "RUNS":
        runs = runs[:1]
    return [command, *(f"{name}={text}" for name, text in places.items()), "--", *runs]


@pytest.fixture(scope="module")
def idle():
    """Commands that do no work, should they find nothing wrong."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explorer, "listening", begins)
        found = experiments.get_experiment
        patch.setattr(experiments, "get_experiment", lambda name: found(name) and begins)
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize("command", WRONG)
@settings(FEW, max_examples=max(1, CASES // 10))
@given(data=st.data())
def test_a_command_with_one_thing_wrong_says_which_in_one_line_and_leaves_all_as_it_was(trained, command, data):
    wrong = data.draw(st.sampled_from(sorted(WRONG[command])))
    value = data.draw(WRONG[command][wrong])
    assume(not value.startswith("-") or wrong.startswith("--"))
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        (directory / "empty").mkdir(), (directory / "foreign").mkdir()
        (directory / "file.keras").write_text("no model"), (directory / "foreign" / "config.json").write_text("[]")
        before = everything_in(directory) | everything_in(trained)
        status, said = said_by(*arguments_with(command, wrong, value, trained, directory))
        named = {"RUN": str(directory / value), "NAME": "There is no experiment"}.get(wrong, wrong)
        check_refused(status, said, named)
        assert everything_in(directory) | everything_in(trained) == before


COUNTS = st.one_of(st.integers(-2, 40), WORDS, st.floats(), st.just(2**70))  # others are made, however many
SHOWN = {"count": COUNTS, "seed": st.one_of(NUMBERS, WORDS)}
SPLITS = st.sampled_from(["test", "test[:9]", "validation", "test[:0]", "tset"])
HELD_OUT = {"dataset": st.sampled_from(["digits", "gmm5", "digitz"]), "split": SPLITS}
PICTURES = ["a.png", "new/a.png", "a.txt", ""]
USES = {
    "sample": {**SHOWN, "columns": COUNTS, "label": COUNTS, "observation": st.sampled_from(["mean", "draw", "medan"])},
    "reconstruct": {**SHOWN, **HELD_OUT, "columns": COUNTS},
    "figure": {**SHOWN, **HELD_OUT, "rows": COUNTS, "features": st.sampled_from(["data", "inceptoin"])},
    "export": {"format": st.sampled_from(["savedmodel", "torch"])},
    "evaluate": {**HELD_OUT, "metrics": st.sampled_from(["psnr", "psnr,mse", "prs", ""]), "batch-size": COUNTS},
}
FIGURES = st.sampled_from(["interpolations", "covariance", "latent-traversals", "mask", "distances", "masks"])


def is_whole(command, out, directory):
    """Whether a command has left what it should."""
    if command == "evaluate":
        written = [path for path in directory.glob("*.json") if path.name in ("evaluation.json", "scores.json")]
        return written and all(json.loads(path.read_text())["scores"] for path in written)
    if command == "export":
        return {"saved_model.pb", "variables"} <= {path.name for path in out.iterdir()}
    return min(tf.io.decode_png(out.read_bytes()).shape) >= 1


@pytest.mark.slow
@settings(FEW, max_examples=max(1, CASES // 20))  # of what takes a second
@given(st.sampled_from(sorted(USES)), st.data())
def test_commands_that_use_a_run_leave_a_whole_file_or_one_line(trained, command, data):
    chosen = data.draw(st.lists(st.sampled_from(sorted(USES[command])), unique=True, max_size=3))
    options = [f"--{name}={data.draw(USES[command][name])}" for name in chosen]
    subject = [data.draw(FIGURES), trained] if command == "figure" else [trained]
    for path in trained.glob("*.json"):
        path.unlink() if path.name in ("evaluation.json", "scores.json") else None
    heard = io.StringIO()
    with tempfile.TemporaryDirectory() as directory, contextlib.redirect_stderr(heard):
        out = Path(directory) / data.draw(
            st.sampled_from(["served", "new/served"] if command == "export" else PICTURES)
        )
        place = [] if command == "evaluate" else ["--out", out]
        with contextlib.redirect_stdout(io.StringIO()):
            status = run(command, *subject, *options, *place)
        if status == 0:
            assert is_whole(command, out, trained), options
        else:
            said = heard.getvalue()
            errors = [line for line in said.splitlines() if line.startswith("error: ")]
            assert status == 2 and "Traceback" not in said and (len(errors) == 1 or "Usage: " in said), options
            assert not [path for path in Path(directory).rglob("*") if path.is_file()], options
