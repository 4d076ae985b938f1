"""The loops written by hand in benchmarks/ have every shape of game and train what `fit` trains."""

import csv
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
import typer

import keras_ijae as ki

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
LOOPS = ("vae", "gan", "ijae", "ali", "vae_gan", "wgan_gp", "wgan", "mask_aae", "flex_ae_sr")


@pytest.fixture
def benchmark(monkeypatch):
    """Imports a module of benchmarks/ by its name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def test_a_name_that_is_not_known_is_refused_by_its_option(benchmark):
    names, known = benchmark("options").names, ("dense", "convolutions")
    assert names("convolutions,dense", known, "networks") == ["convolutions", "dense"]
    with pytest.raises(typer.BadParameter, match="--networks must be of dense, convolutions. Received: dens$"):
        names("dense,dens", known, "networks")


def features(name):
    """What the phases of a system's game have that those of another may not."""
    model = ki.create(name, data_shape=(4,), latent_dim=2, networks="mlp", width=2)
    changed = [[role for move in phase.moves for role in networks(model, move)] for phase in model.phases]
    flags = ("once", "reuse", "gate", "balance")
    found = {flag for phase in model.phases for flag in flags if getattr(phase, flag)}
    found |= {"repeats" for phase in model.phases if phase.repeats > 1}
    found |= {"slices" for phase in model.phases if phase.slices > 1}
    found |= {"at once" for roles in changed if len(roles) > len(set(roles))}
    together = [role for roles in changed for role in set(roles)]
    return found | ({"in turns"} if len(together) > len(set(together)) else set())


def networks(model, name):
    """What a move changes."""
    return next(move.networks for move in model.moves if move.name == name)


@pytest.mark.slow
def test_the_loops_have_all_that_the_games_of_the_package_have(benchmark):
    assert tuple(benchmark("fused").STEPS) == LOOPS
    by_hand = set().union(*map(features, LOOPS))
    assert {"once", "reuse", "gate", "balance", "repeats", "at once", "in turns"} <= by_hand
    # One name of each class is enough: the others fix a weight, a prior or a posterior.
    classes = {entry.system: name for name, entry in ki.game.ENTRIES.items()}
    assert set().union(*map(features, classes.values())) <= by_hand


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.slow
def test_loops_written_by_hand_train_the_weights_of_fit(benchmark, name):
    difference, weight = benchmark("loops").check(name)
    assert difference < 1e-9, weight


@pytest.mark.slow
def test_a_loop_that_trains_otherwise_is_found(benchmark, monkeypatch):
    fused = benchmark("fused")
    monkeypatch.setattr(fused, "player_loss", lambda fake: -fused.judge_loss(fake, fake))
    assert benchmark("loops").check("gan")[0] > 1e-3


@pytest.mark.slow
def test_the_program_prints_and_keeps_ratios(tmp_path):
    command = [sys.executable, BENCHMARKS / "train_step.py", "--systems", "vae", "--shapes", "8x8x1", "--width", "2"]
    command += ["--quick", "--no-check", "--steps", "2", "--repeats", "1", "--batch-size", "4", "--out", tmp_path]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "8x8x1" in printed and "weights within" not in printed
    (row,) = rows_of(tmp_path / "train_step.csv")
    assert row["least"] == row["ratio"] == row["most"] and row["ratio"] in printed and row["short"] == "short"
    assert "| vae | 8x8x1 |" in (tmp_path / "performance.md").read_text()


def counted(benchmark, function, *shapes):
    """The multiplications of a function of tensors of these shapes."""
    graph = tf.function(function).get_concrete_function(*map(tf.TensorSpec, shapes)).graph
    return benchmark("multiplications").of_graph(graph)


def test_multiplications_of_products_and_convolutions_and_their_gradients_are_those_of_their_sums(benchmark):
    def both(x, kernel):
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            y = tf.nn.conv2d(x, kernel, strides=2, padding="SAME")
        return tape.gradient(y, [x, kernel])

    one = 5 * 4 * 3 * 7 * (3 * 3 * 2)  # pixels that are given, times a kernel's numbers
    assert counted(benchmark, lambda x, k: tf.nn.conv2d(x, k, 2, "SAME"), (5, 8, 6, 2), (3, 3, 2, 7)) == one
    assert counted(benchmark, both, (5, 8, 6, 2), (3, 3, 2, 7)) == 2 * one  # nobody reads the convolution itself
    up = lambda y, k: tf.nn.conv2d_transpose(y, k, (5, 8, 6, 2), 2, "SAME")  # noqa: E731
    assert counted(benchmark, up, (5, 4, 3, 7), (3, 3, 2, 7)) == one
    assert counted(benchmark, lambda a, b: tf.matmul(a, b, transpose_a=True), (3, 4), (3, 5)) == 3 * 4 * 5
    assert counted(benchmark, lambda a, b: tf.matmul(a, b, transpose_b=True), (2, 3, 4), (2, 5, 4)) == 2 * 3 * 4 * 5


def test_of_a_conditional_the_larger_branch_counts_and_what_cannot_be_counted_is_refused(benchmark):
    def choose(a, b):
        return tf.cond(a[0, 0] > 0, lambda: (a @ b) @ b, lambda: a @ b)

    assert counted(benchmark, choose, (2, 3), (3, 3)) == 2 * 2 * 3 * 3
    with pytest.raises(NotImplementedError, match="DepthwiseConv2dNative"):
        depthwise = lambda x, k: tf.nn.depthwise_conv2d(x, k, (1, 1, 1, 1), "SAME")  # noqa: E731
        counted(benchmark, depthwise, (1, 4, 4, 2), (3, 3, 2, 1))


@pytest.mark.slow
def test_the_cost_of_a_system_is_its_time_over_the_vaes_and_over_what_is_counted(benchmark, tmp_path):
    cost = benchmark("cost")
    for row in cost.compare(["vae", "wgan"], (8, 8, 1), 4, 2, steps=2, repeats=3, clock="cpu"):
        cost.keep(tmp_path, row | {"time": 9.0}), cost.keep(tmp_path, row)
    with (tmp_path / "cost.csv").open(newline="") as file:
        _, vae, _, wgan = csv.DictReader(file)
    assert vae["counted"] == "1" and float(wgan["counted"]) > 1.5
    assert all(float(row["least"]) <= float(row["time"]) <= float(row["most"]) for row in (vae, wgan))
    quotient = float(wgan["time"]) / float(wgan["counted"])
    assert float(wgan["time/counted"]) == pytest.approx(quotient, rel=1e-3)
    assert wgan["machine"] and wgan["commit"] and wgan["command"].startswith("python benchmarks/cost.py")
    page = (tmp_path / "performance.md").read_text()
    assert "## Cost of a step" in page and page.count("| wgan | 8x8x1 | 4 |") == 1
    assert f"| wgan | 8x8x1 | 4 | {wgan['step_ms']} | {wgan['time']} |" in page


@pytest.mark.slow
def test_soak_writes_its_curve_and_finds_what_grows_and_what_is_traced_anew(benchmark, tmp_path, monkeypatch):
    soak = benchmark("soak")
    flat = [soak.Row(number, 10.0 * number, 500 + number % 3, 7) for number in range(1, 41)]
    growth, traced = soak.verdict(flat)
    assert abs(growth) < 0.002 and traced == 0
    leaking = [row._replace(resident_mib=500 + row.seconds, traced=row.round) for row in flat]
    growth, traced = soak.verdict(leaking)
    assert growth == pytest.approx(300 / 750, rel=0.05) and traced == 30
    soak.draw(flat, tmp_path / "soak.png")
    assert (tmp_path / "soak.png").stat().st_size > 1000
    (first, *_) = soak.rounds(0.001, limit=None, system="vae")
    assert first.traced > 0 and first.resident_mib > 100
    with pytest.raises(MemoryError, match="more than 1"):
        next(soak.rounds(0.001, limit=1, system="vae"))
    monkeypatch.setattr(soak, "rounds", lambda minutes, limit: iter(flat))
    soak.main(["--minutes", "1", "--out", str(tmp_path)])
    (row,) = rows_of(tmp_path / "soak.csv")
    assert (row["rounds"], row["traced"], row["short"]) == ("40", "0", "short")
    assert len(rows_of(tmp_path / "soak_rounds.csv")) == 40 and "| 40 |" in (tmp_path / "performance.md").read_text()


@pytest.mark.slow
def test_serving_compares_what_threads_get_and_counts_images(benchmark, tmp_path):
    serving = benchmark("serving")
    serving.main(["--threads", "1,2", "--shape", "8x8x1", "--seconds", "0.2", "--out", str(tmp_path)])
    rows = rows_of(tmp_path / "serving.csv")
    assert "| 2 |" in (tmp_path / "performance.md").read_text()
    assert [row["threads"] for row in rows] == ["1", "2"] and all(float(row["SavedModel"]) > 0 for row in rows)
    calls = iter(range(10_000))
    with pytest.raises(ValueError, match="gave other images than alone"):
        serving.check(lambda seed: [next(calls)], threads=2)


def run(program, *options, code=0):
    """What a program of benchmarks/ prints, in a process of its own."""
    command = [sys.executable, BENCHMARKS / program, *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == code, done.stderr[-2000:]
    return done.stdout


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def peers():
    """The Python of the peers' environment."""
    python = os.environ.get("PEERS_PYTHON", BENCHMARKS / "peers/.venv/bin/python")
    if not Path(python).exists():
        pytest.skip("pythae has an environment of its own, which is not there: see benchmarks/README.md")
    return python


@pytest.mark.slow
def test_the_networks_set_against_pythae_have_the_parameters_of_its_copies(benchmark):
    peer = benchmark("peer")
    counts = {name: peer.parameters(peer.ours(pair)) for name, pair in peer.PAIRS.items()}
    # encoder, decoder; code discriminator; pseudo-inputs; four maps of 16-64-64-32; discriminator of images
    vae, ae, judge = 525857, 523793, 16 * 256 + 256 + 256 * 256 + 256 + 257
    expected = {"vae": vae, "wae_mmd": ae, "rae_l2": ae, "aae": ae + judge, "wae_gan": ae + judge}
    expected |= {"factor_vae": vae + judge, "vamp": vae + 64 * 784}
    expected["vae_iaf"] = vae + 4 * (16 * 64 + 64 + 64 * 64 + 64 + 64 * 32 + 32)
    expected["vae_gan"] = vae + (16 * 24 + 24 + 16 * 24 * 48 + 48 + 48 * 49 * 96 + 96 + 97)
    assert counts == expected


@pytest.mark.slow
def test_speed_against_pythae_is_written_to_rows_and_page(peers, tmp_path):
    options = ["--systems", "vae", "--steps", 5, "--repeats", 1, "--batch-size", 4]
    run("peer_speed.py", "--python", peers, "--out", tmp_path, *options)
    trainer, bare = rows_of(tmp_path / "peers.csv")
    assert trainer["against"] == "its trainer" and bare["parameters"] == trainer["parameters"] == "525857"
    speeds = float(trainer["images/s"]) / float(trainer["peer's images/s"])
    assert float(trainer["ratio"]) == pytest.approx(speeds, rel=0.1, abs=0.01)
    page = (tmp_path / "performance.md").read_text()
    assert "## Speed of training against pythae" in page and "| short |" in page and trainer["machine"] in page


@pytest.mark.slow
def test_quality_over_time_goes_on_with_what_is_not_finished(tmp_path):
    options = ["--smoke", "--libraries", "keras_ijae", "--systems", "rae_gmm", "--out", tmp_path]
    assert "rae_gmm" in run("quality.py", *options)
    (row,) = rows_of(tmp_path / "quality_smoke.csv")
    assert float(row["distance"]) > 0 and int(row["steps"]) > 2 and float(row["cpu_minutes"]) >= 0.001
    assert "rae_gmm" not in run("quality.py", *options)
    assert len(rows_of(tmp_path / "quality_smoke.csv")) == 1
    assert (tmp_path / "pictures/quality.png").exists()


@pytest.mark.slow
def test_pythae_is_judged_as_we_are(peers, tmp_path):
    options = ["--smoke", "--libraries", "pythae", "--systems", "rae_l2,vamp", "--python", peers]
    run("quality.py", *options, "--out", tmp_path)
    found = rows_of(tmp_path / "quality_smoke.csv")
    assert [(row["system"], row["networks"]) for row in found] == [
        (system, networks) for system in ("rae_l2", "vamp") for networks in ("dense", "convolutions")
    ]
    assert all(float(row["distance"]) > 0 for row in found)


@pytest.mark.slow
def test_points_of_scaling_are_measured_once_each(benchmark, tmp_path):
    scaling = benchmark("scaling")
    _, *known = scaling.planned(["vae"], ["latent_dim"], 1, 1)
    with (tmp_path / "scaling.csv").open("w", newline="") as file:
        kept = csv.DictWriter(file, scaling.COLUMNS, restval="7")
        kept.writeheader(), kept.writerows(known)
    options = ["--systems", "vae", "--sweeps", "latent_dim", "--steps", 1, "--repeats", 1, "--out", tmp_path]
    assert run("scaling.py", *options).count("'sweep'") == 1
    assert [row["latent_dim"] for row in rows_of(tmp_path / "scaling.csv")] == ["16", "128", "512", "2"]
    assert run("scaling.py", *options).count("'sweep'") == 0
    page = (tmp_path / "performance.md").read_text()
    assert page.count("\n| latent_dim | vae |") == 4 and (tmp_path / "pictures/scaling.png").exists()


@pytest.mark.slow
def test_more_images_are_evaluated_in_the_same_memory(tmp_path):
    run("large.py", "--kinds", "evaluated", "--counts", "4000,16000", "--out", tmp_path)
    few, many = rows_of(tmp_path / "large.csv")
    assert float(many["peak_mb"]) < 1.1 * float(few["peak_mb"])


def test_shares_of_a_profile_add_up(benchmark):
    found = {"_MklConv2D": 3.0, "Conv2DBackpropInput": 2.0, "MatMul": 2.0, "ResourceApplyAdam": 1.0, "Mul": 2.0}
    expected = {"ms a step": "10.00", "convolutions": "50%", "products": "20%", "Adam": "10%", "all else": "20%"}
    assert benchmark("profile_step").shares(found) == expected


@pytest.mark.slow
def test_the_time_of_a_step_is_told_by_operations(tmp_path):
    assert "Conv2D" in run("profile_step.py", "--systems", "vae", "--steps", 10, "--out", tmp_path)
    (row,) = rows_of(tmp_path / "profile.csv")
    assert row["system"] == "vae" and row["short"] == "short" and row["convolutions"].endswith("%")
    assert "| vae |" in (tmp_path / "performance.md").read_text()


def test_memory_that_grows_is_seen(benchmark):
    grown = benchmark("large").grown
    assert grown({"evaluated": [100.0, 105.0], "sampled": [100.0, 120.0], "array": [100.0, 900.0]}) == ["sampled"]


def test_a_section_of_the_page_is_replaced_and_the_others_stay(benchmark, tmp_path):
    records = benchmark("records")
    row = {"a": "1", "b": "", "machine": "this one", "short": ""}
    records.write_section(tmp_path, "## One", "What it is.", ["a", "b"], [row])
    records.write_section(tmp_path, "## Two", "Another.", ["a"], [row | {"short": "short"}])
    both = (tmp_path / "performance.md").read_text()
    assert "| 1 | – |" in both and both.index("## One") < both.index("## Two") and "not to be cited" in both
    records.write_section(tmp_path, "## One", "What it is.", ["a", "b"], [row | {"a": "3"}])
    again = (tmp_path / "performance.md").read_text()
    assert again == both.replace("| 1 | – |", "| 3 | – |", 1)
