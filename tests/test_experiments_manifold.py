"""The experiment on manifolds builds, plans, judges and draws three systems, with what is left of older runs."""
# ruff: noqa: F811  tests take the fixture that is imported

import numpy as np
import pytest
from test_experiments import script  # noqa: F401

MANIFOLDS = {"mask_aae": "quick", "wae_gan": "penalty 1", "flex_ae": "default"}  # systems and their settings


def test_deletions_are_not_scored_where_the_prior_is_learned(script, monkeypatch):
    manifold, judge = script("mask_aae_manifold"), script("mask_aae_judge")
    x = np.random.default_rng(0).normal(size=(200, 128)).astype("float32")
    monkeypatch.setattr(judge, "points", lambda *given: x)
    monkeypatch.setattr(judge, "SAMPLES", 200)
    found = {}
    for system in ("wae_gan", "flex_ae"):
        model = manifold.build(manifold.Run("compare", system, MANIFOLDS[system], 2, 3, 0, 100))
        found[system] = judge.judge(model, 2, 0, "compare")
    deletions = {"deletion_least", "deletion_median"}
    assert found["wae_gan"].keys() - found["flex_ae"].keys() == deletions and "nac" in found["flex_ae"]


def test_the_systems_of_the_manifolds_start_from_one_encoder_and_decoder_and_flex_ae_has_its_defaults(script):
    manifold, seen = script("mask_aae_manifold"), {}
    for system, setting in MANIFOLDS.items():
        model = manifold.build(manifold.Run("compare", system, setting, 2, 3, 5, 1000))
        seen[system] = [*model.encoder.get_weights(), *model.decoder.get_weights()], model.ema
    for weights, _ in seen.values():
        for ours, first in zip(weights, seen["mask_aae"][0], strict=True):
            np.testing.assert_array_equal(ours, first)
    rates = {move: float(one.learning_rate) for move, one in model.optimizer.by_move.items()}
    assert rates == pytest.approx({"auto_encoder": 1e-3, "code_critic": 5e-4, "prior_generator": 5e-4, "encoder": 5e-5})
    assert [averages is not None for _, averages in seen.values()] == [False, False, True]


def test_in_the_second_setting_flex_ae_s_rates_fall_to_0_but_the_critic_s(script):
    manifold = script("mask_aae_manifold")
    model = manifold.build(manifold.Run("compare", "flex_ae", "falling", 2, 3, 5, 1000))
    assert model.ema is None
    for step, left in ((0, 1.0), (500, 0.5), (1000, 0.0)):
        for optimizer in model.optimizer.by_move.values():
            optimizer.iterations.assign(step)
        rates = {move: float(one.learning_rate) for move, one in model.optimizer.by_move.items()}
        expected = {"auto_encoder": 1e-3 * left, "prior_generator": 5e-4 * left, "encoder": 5e-5 * left}
        assert rates == pytest.approx({**expected, "code_critic": 5e-4})


def test_the_manifold_of_16_has_the_codes_of_mnist_and_flex_ae_where_it_is_named(script, tmp_path):
    manifold = script("mask_aae_manifold")
    command = ["compare", "--out", str(tmp_path), "--seeds", "0"]
    assert manifold.parse(command).systems == ["mask_aae", "wae_gan"]  # as the committed commands mean it
    runs = manifold.planned(manifold.parse([*command, "--dimensions", "16", "--systems", "mask_aae", "flex_ae"]))
    pairs = [("mask_aae", "quick"), ("flex_ae", "default")]
    found = [(run.codes, (run.system, run.setting)) for run in runs]
    assert found == [(codes, pair) for codes in (4, 8, 16, 32, 64, 110) for pair in pairs]
    command += ["--dimensions", "16", "--systems", "flex_ae", "--flex-setting", "falling"]
    assert {run.setting for run in manifold.planned(manifold.parse(command))} == {"falling"}


def manifold_row(system, dimensions, codes, **more):
    about = {"experiment": "compare", "outcome": "ended", "system": system, "setting": MANIFOLDS[system], "seed": "0"}
    scores = {"test_gen": str(codes), "test_real": "0.5", "active_dimensions": "8"}
    return about | {"dimensions": str(dimensions), "codes": str(codes), "steps": "100"} | scores | more


@pytest.fixture
def drawn(script, tmp_path, monkeypatch):
    """Draws rows of the manifolds; the figures by the names of their files, which are not written."""
    figures, saved = script("mask_aae_figures"), {}
    monkeypatch.setattr(figures, "save_figure", lambda figure, path, **how: saved.update({path.name: figure}))
    return lambda rows: saved.clear() or figures.draw(rows, MANIFOLDS, tmp_path, tmp_path) or saved


THREE = [manifold_row(system, 16, codes) for codes in (8, 16, 32) for system in MANIFOLDS]
TWO = [manifold_row(system, 8, codes) for codes in (4, 16) for system in ("mask_aae", "wae_gan")]


def kept_by(rows, directory, script):
    """What runs leave: their masks and covariances."""
    for row in rows:
        arrays = {"covariance": np.eye(int(row["codes"])), "steps": [1, 2], "alphas": np.ones((2, int(row["codes"])))}
        np.savez(directory / script("mask_aae_figures").file_name(row), **arrays)


def test_distances_need_the_rows_alone_and_pictures_whose_files_are_missing_stay(drawn, tmp_path, capsys):
    old = tmp_path / "mask_aae-quick-codes.png"
    old.write_bytes(b"older")
    once = [manifold_row("mask_aae", 2, 4)]  # one size of codes: there is nothing to draw distances over
    assert [*(made := drawn([*TWO, *THREE, *once]))] == ["mask_aae-quick-distances.png"]
    titles = [axis.get_title() for axis in made["mask_aae-quick-distances.png"].axes]
    assert titles == ["Samples, data of 8 dimensions", "Samples, data of 16 dimensions"]
    legends = [[text.get_text().split(":")[0] for text in axis.legend_.texts] for axis in made.popitem()[1].axes]
    assert [legend[:-2] for legend in legends] == [["WAE-GAN", "MaskAAE"], ["WAE-GAN", "MaskAAE", "FlexAE"]]
    masks, codes = capsys.readouterr().out.splitlines()
    assert masks.startswith("No mask_aae-quick.png, for lack of files in") and "mask_aae-quick-8-16-0-100.npz" in masks
    assert codes.startswith(f"{old.name} stays as it was, for lack of files in") and codes.count(".npz") == 6
    assert not drawn(once)  # nor does this end in an error


def test_panels_are_left_out_whose_files_are_missing(script, drawn, tmp_path, capsys):
    kept_by([*TWO, *(row for row in THREE if row["system"] != "mask_aae")], tmp_path, script)
    made = drawn([*TWO, *THREE])
    assert [axis.get_title() for axis in made["mask_aae-quick.png"].axes] == ["Data of 8 dimensions, codes of 16"]
    panels = [axis.get_title() for axis in made["mask_aae-quick-codes.png"].axes if axis.get_visible()]
    names = ("WAE-GAN, data of 8", "WAE-GAN, data of 16", "MaskAAE, data of 8", "FlexAE, data of 16")
    assert [*filter(None, panels)] == [f"{name}, seed 0" for name in names]  # without those of the colour bars
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in printed] == ["Not in mask_aae-quick.png", "Not in mask_aae-quick-codes.png"]
    assert all(line.endswith(": mask_aae-quick-16-32-0-100.npz") for line in printed)
    (tmp_path / "mask_aae-quick.png").write_bytes(b"older")  # it may have the panel that is missing now
    assert [*drawn([*TWO, *THREE])] == ["mask_aae-quick-distances.png", "mask_aae-quick-codes.png"]


def test_a_figure_of_the_manifolds_has_one_setting_of_each_system(drawn):
    with pytest.raises(
        SystemExit, match="one setting of each system. Received: .* '100'.*'wae_gan', 'penalty 1', '200'"
    ):
        drawn([*TWO, manifold_row("wae_gan", 8, 4, steps="200")])


def test_a_figure_is_of_the_named_setting_of_flex_ae(drawn):
    falling = [row | {"setting": "falling"} for row in THREE if row["system"] == "flex_ae"]
    axis = drawn([*THREE, *falling])["mask_aae-quick-distances.png"].axes[0]
    lines = {line.get_label().split(":")[0]: len(line.get_xdata()) for line in axis.lines}
    assert lines["FlexAE"] == 3 and len(axis.lines) == 3 * (3 + 1) + 2  # a point a run, a line a system, two grey ones


def test_the_tables_of_the_manifolds_have_a_column_for_each_system_that_ran(script, capsys):
    figures = script("mask_aae_figures")
    empty = dict.fromkeys(figures.SHOWN, "")
    for runs, heads in ((TWO, "WAE-GAN | MaskAAE |"), (THREE, "WAE-GAN | MaskAAE | FlexAE |")):
        figures.print_runs([empty | row | {"nac": "0.25"} for row in runs])
        assert f"| dimensions | codes | {heads}\n" in capsys.readouterr().out
