"""What is better, by its name; runs side by side: what compares, what does not, and whether all of it is said."""

import json
from collections import Counter
from pathlib import Path

import pytest

from keras_ijae.evaluation import MEASURES
from keras_ijae.evaluation.better import sense
from keras_ijae.training import Recipe, RunDirectory
from keras_ijae.training.comparing import compare_runs, not_comparable, objective
from keras_ijae.training.measured import keep_losses, keep_scores
from keras_ijae_cli import compare, tables

TEST = {"dataset": "digits", "split": "test"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("val_loss", -1),
        ("val_squared_error_sum", -1),
        ("rec/lpips[alex]", -1),
        ("gen/frechet_distance[mnist-classifier]", -1),
        ("elbo_density_nats_sum", 1),
        ("gen/class_accuracy[net]", 1),
        ("val_kl_nats_sum", 0),
        ("discriminator_accuracy", 0),  # of a player, not of the samples
        ("code_critic_distance", 0),
        ("sample_logit", 0),
    ],
)
def test_the_better_of_two_values_is_known_by_the_name_where_there_is_one(name, expected):
    assert sense(name, ["auto_encoder_loss", name]) == expected


def test_a_loss_that_is_lowered_alone_is_better_lower_and_of_losses_of_opponents_none_is():
    assert sense("auto_encoder_loss", ["auto_encoder_loss", "val_loss", "kl_nats_sum"]) == -1
    players = ["decoder_loss", "discriminator_loss", "val_loss"]
    assert [sense(name, players) for name in players] == [0, 0, -1]


def test_of_every_score_it_is_decided_whether_more_or_less_is_better():
    of_all = {name for measure in MEASURES.values() for name in measure.names}
    neither = {"ms_ssim_diversity", "nac", "active_dimensions", "latent_kl_nats"}
    neither |= {"critic_validation", "critic_train", "nearest_train_of_samples", "nearest_train_of_held_out"}
    assert {name for name in of_all if not sense(name)} == neither


def test_losses_of_runs_on_other_parts_of_the_data_do_not_compare():
    recipe = Recipe(system="vae", dataset="digits")
    assert objective(recipe, "val_loss") == objective(recipe.but(epochs=9), "val_loss")
    assert objective(recipe, "val_loss") != objective(recipe.but(split="train[:9]"), "val_loss")


def histories(tmp_path, second, **settings):
    """Two runs on the digits, a VAE and another, that have logged what VAEs log."""
    logged = "val_squared_error_sum,val_elbo_nats_sum,val_kl_nats_sum,val_loss,auto_encoder_loss"
    for name, recipe in (("a", {"system": "vae"}), ("b", {"system": second, **settings})):
        RunDirectory(tmp_path / name).write_recipe(Recipe(**{"dataset": "digits", **recipe}), {})
        extra = (",decoder_loss", ",0") if name == "b" else ("", "")
        rows = [f"epoch,{logged}{extra[0]}", f"1,5,-9,2,9,9{extra[1]}", f"2,4,-8,1,8,8{extra[1]}"]
        (tmp_path / name / "history.csv").write_text("\n".join(rows))
    return [tmp_path / "a", tmp_path / "b"]


def test_errors_and_bounds_have_a_best_value_and_what_a_system_balances_has_none(tmp_path):
    runs = histories(tmp_path, "vae")
    found = {row["what"]: row[str(runs[0])] for row in compare_runs(runs)}
    assert (found["val_squared_error_sum, best"], found["val_elbo_nats_sum, best"]) == (4, -8)
    assert found["val_kl_nats_sum, last"] == 1 and "val_kl_nats_sum, best" not in found


@pytest.mark.parametrize(
    ("second", "settings", "losses", "errors"),
    [
        ("vae", {}, ["val_loss", "auto_encoder_loss"], True),
        ("beta_vae", {}, [], True),
        ("vae", {"arguments": {"beta": 4}}, ["val_loss"], True),
        ("vae", {"arguments": {"likelihood": "laplace"}}, [], True),
        ("vae", {"dataset": "mnist"}, [], False),
    ],
)
def test_what_does_not_compare_is_left_out_of_the_table_and_named_below_it(
    tmp_path, capsys, monkeypatch, second, settings, losses, errors
):
    monkeypatch.setenv("COLUMNS", "200")
    runs = histories(tmp_path, second, **settings)
    compare.compare(runs)
    table, _, below = capsys.readouterr().out.partition("Left out")
    said = " ".join(below.split())
    for term in ("val_loss", "auto_encoder_loss", "val_squared_error_sum"):
        shown = term in losses if term.endswith("loss") else errors
        assert (f"{term}, last" in table, term in said) == (shown, not shown), term
    assert "decoder_loss" not in table and "logged by one run alone: decoder_loss" in said
    assert "--csv and --json have all rows" in said
    compare.compare(runs, csv=True)
    printed = capsys.readouterr().out
    assert all(term in printed for term in ("val_loss, last", "decoder_loss, last")) and "Left out" not in printed


def test_it_is_said_on_what_scores_were_measured(tmp_path):
    runs = histories(tmp_path, "vae")
    for run, split in zip(runs, ("test", "train"), strict=True):
        found = {"dataset": "digits", "split": split, "scores": {"gen/fid": {"value": 1.0}}}
        (run / "scores.json").write_text(json.dumps(found))
    rows = compare_runs(runs)
    (row,) = [row for row in rows if row["what"] == "scored on"]
    assert [row[str(run)] for run in runs] == ["digits, test", "digits, train"]
    left_out = not_comparable(rows, runs)
    assert left_out["measured on different data"] == ["gen/fid"]
    for run in runs:
        (run / "scores.json").write_text(json.dumps({**found, "scores": {"gen/fid[a, b]": {"value": 1.0}}}))
    assert "measured on different data" not in not_comparable(compare_runs(runs), runs)


def test_the_order_in_which_arguments_of_the_data_were_given_makes_no_other_data(tmp_path):
    data = {"size": 8, "crop": "center"}
    runs = histories(tmp_path, "vae", data=dict(reversed(data.items())))
    RunDirectory(runs[0]).write_recipe(Recipe(system="vae", dataset="digits", data=data), {})
    for run in runs:
        keep_scores(run / "scores.json", {"gen/fid": {"value": 1.0}}, **TEST)
        keep_losses(run / "evaluation.json", {"loss": 1.0}, **TEST)
    assert "measured on different data" not in not_comparable(compare_runs(runs), runs)


def test_what_is_of_labels_is_not_set_beside_what_is_not(tmp_path):
    """log p(x|y) and log p(x); errors of reconstructions are the same quantity."""
    runs = histories(tmp_path, "vae", classes=10)
    for run in runs:
        keep_scores(run / "scores.json", {"ais_nats": {"value": -1.0}, "latent_kl_nats": {"value": 1.0}}, **TEST)
        keep_losses(run / "evaluation.json", {"loss": 1.0, "elbo_nats_sum": -1.0}, **TEST)
    left_out = {what for found in not_comparable(compare_runs(runs), runs).values() for what in found}
    assert {"val_loss, last", "val_elbo_nats_sum, best", "evaluate: loss", "evaluate: elbo_nats_sum"} <= left_out
    assert "ais_nats" in left_out and not {"latent_kl_nats", "val_squared_error_sum, last"} & left_out


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ({"n_fake": 5}, {"gen/fid, generated": [297, 5]}),
        ({"weights": "b"}, {}),
        ({"dtype": "float16, float32"}, {}),
        ({"dtype": "float32"}, None),
        ({"seed": 1}, None),
    ],
)
def test_scores_of_other_numbers_of_examples_or_features_do_not_stand_side_by_side(tmp_path, changed, counts):
    runs = histories(tmp_path, "vae")
    score = {"value": 2.0, "n_real": 297, "n_fake": 297, "weights": "a", "seed": 0}
    for run, one in zip(runs, (score, score | changed), strict=True):
        keep_scores(run / "scores.json", {"gen/fid": one}, **TEST)
    keep_scores(runs[0] / "scores.json", {"gen/kid": score}, **TEST)
    rows = compare_runs(runs)
    assert "gen/kid" in {row["what"] for row in rows}
    shown = {
        row["what"]: [row[str(run)] for run in runs]
        for row in rows
        if row["what"].startswith("gen/") and ", " in row["what"]
    }
    assert shown == (counts or {})
    refused = not_comparable(rows, runs).get("of other numbers of examples or in other features", [])
    assert refused == ([] if counts is None else ["gen/fid"])


def test_the_best_of_a_run_that_went_bad_is_finite(tmp_path):
    for name in "ab":
        RunDirectory(tmp_path / name).write_recipe(Recipe(system="vae", dataset="digits"), {})
        (tmp_path / name / "history.csv").write_text("epoch,val_loss\n1,nan\n2,3\n3,inf\n")
    found = {row["what"]: row[str(tmp_path / "a")] for row in compare_runs([tmp_path / "a", tmp_path / "b"])}
    assert (found["val_loss, best"], found["val_loss, best epoch"]) == (3, 2)


def test_a_run_called_as_the_column_of_names_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("what", "b"):
        RunDirectory(Path(name)).write_recipe(Recipe(system="vae", dataset="digits"), {})
    with pytest.raises(ValueError, match="`runs` must have no directory 'what'"):
        compare_runs(["what", "b"])


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_table_that_is_too_wide_loses_no_letter(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    name, columns = "val_absolute_error_mean, best epoch", ("/tmp/one/runs/mask", "/tmp/another/runs/mask")
    tables.show([{"what": name, **dict.fromkeys(columns, 0.25)}])
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= width
    assert not Counter("".join([name, *columns, "0.25", "0.25"]).replace(" ", "")) - Counter(printed)
