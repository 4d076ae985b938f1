"""What is measured of a run's model joins what stands in its directory, and nothing is lost."""

import json

import pytest

from keras_ijae.report.reading import Run
from keras_ijae.report.scores import groups
from keras_ijae.training import Recipe, RunDirectory
from keras_ijae.training.measured import (
    data_in_words,
    keep_losses,
    keep_scores,
    measured_on,
    read_losses,
    read_scores,
)

TEST, TRAIN = ({"dataset": "digits", "split": split} for split in ("test", "train"))


def score(value, **protocol):
    return {"value": value, "std": None, "n_fake": 297, "seed": 0, "versions": {"keras": "3"}, **protocol}


def replaced(path):
    return json.loads(path.read_text()).get("replaced", [])


def test_scores_of_several_calls_stand_together(tmp_path):
    path = tmp_path / "scores.json"
    assert keep_scores(path, {"rec/mse": score(1.0)}, **TEST) == []
    assert keep_scores(path, {"elbo_nats": score(-9.0), "ais_nats": score(-8.0)}, **TRAIN) == []
    found = read_scores(path)
    assert {name: (of["value"], of["split"]) for name, of in found.items()} == {
        "rec/mse": (1.0, "test"),
        "elbo_nats": (-9.0, "train"),
        "ais_nats": (-8.0, "train"),
    }


def test_the_same_protocol_takes_the_place_and_what_another_gave_is_kept_and_named(tmp_path):
    path = tmp_path / "scores.json"
    keep_scores(path, {"gen/fid": score(3.0)}, **TEST)
    assert keep_scores(path, {"gen/fid": score(2.0)}, **TEST) == [] and replaced(path) == []
    (line,) = keep_scores(path, {"gen/fid": score(9.0, n_fake=5)}, **TEST)
    assert "gen/fid of n_fake 5 stands in the place of that of n_fake 297" in line and str(path) in line
    assert read_scores(path)["gen/fid"]["value"] == 9.0
    assert [(of["score"], of["value"], of["n_fake"]) for of in replaced(path)] == [("gen/fid", 2.0, 297)]
    keep_scores(path, {"gen/fid": score(1.0)}, **TEST)
    assert read_scores(path)["gen/fid"]["value"] == 1.0
    assert [(of["value"], of["n_fake"]) for of in replaced(path)] == [(9.0, 5)]  # the other was measured anew


@pytest.mark.parametrize("changed", [{"seed": 1}, {"split": "train"}, {"versions": {"keras": "4"}}, {"weights": "w"}])
def test_all_that_a_score_carries_is_its_protocol(tmp_path, changed):
    path = tmp_path / "scores.json"
    keep_scores(path, {"gen/fid": score(3.0)}, **TEST)
    (line,) = keep_scores(
        path, {"gen/fid": {**score(3.0), **changed}}, **(TEST | {"split": changed.get("split", "test")})
    )
    assert next(iter(changed)) in line and len(replaced(path)) == 1


def test_a_score_that_does_not_say_its_floating_type_is_of_float32(tmp_path):
    path = tmp_path / "scores.json"
    keep_scores(path, {"gen/fid": score(3.0)}, **TEST)
    assert keep_scores(path, {"gen/fid": score(3.0, dtype="float32")}, **TEST) == [] == replaced(path)
    (line,) = keep_scores(path, {"gen/fid": score(3.0, dtype="float16")}, **TEST)
    assert "of dtype float16 stands in the place of that of dtype float32" in line


def test_files_that_say_the_data_once_are_read_and_kept(tmp_path):
    path = tmp_path / "scores.json"
    path.write_text(json.dumps({**TEST, "scores": {"gen/fid": score(3.0)}}))
    keep_scores(path, {"nac": score("nan")}, **TRAIN)
    assert [read_scores(path)[name]["split"] for name in ("gen/fid", "nac")] == ["test", "train"]
    assert keep_scores(path, {"gen/fid": score(3.0)}, **TEST) == []


@pytest.mark.parametrize(
    "content", ["{,", "[]", "{}", '{"scores": {"a": 1}}', '{"scores": {"a": {}}}', '{"scores": [1]}']
)
def test_what_is_damaged_is_an_error_and_stays(tmp_path, content):
    path = tmp_path / "scores.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="scores.json does not hold scores"):
        keep_scores(path, {"gen/fid": score(3.0)}, **TEST)
    assert path.read_text() == content


def test_losses_on_other_data_are_kept(tmp_path):
    path = tmp_path / "evaluation.json"
    assert keep_losses(path, {"loss": 1.0}, **TEST) == [] == keep_losses(path, {"loss": 2.0}, **TEST)
    (line,) = keep_losses(path, {"loss": 3.0}, **TRAIN)
    assert "on digits, train stand in the place of those on digits, test" in line
    assert read_losses(path) == ({**TRAIN, "scores": {"loss": 3.0}}, [{**TEST, "scores": {"loss": 2.0}}])
    keep_losses(path, {"loss": 4.0}, **TEST)
    assert read_losses(path) == ({**TEST, "scores": {"loss": 4.0}}, [{**TRAIN, "scores": {"loss": 3.0}}])


def test_scores_on_data_that_were_loaded_otherwise_are_of_another_protocol(tmp_path):
    path, recipe = tmp_path / "scores.json", Recipe(system="vae", dataset="digits", data={"size": 4})
    keep_scores(path, {"gen/fid": score(3.0)}, **TEST)
    assert len(keep_scores(path, {"gen/fid": score(3.0)}, **TEST, data={})) == len(replaced(path)) == 1
    keep_scores(path, {"nac": score(3.0)}, **TEST)
    found = {name: data_in_words(*measured_on(one, recipe)) for name, one in read_scores(path).items()}
    assert found == {"gen/fid": "digits, test", "nac": "digits, size=4, test"}
    assert data_in_words(*measured_on({"dataset": "mnist", "split": "test"}, recipe)) == "mnist, test"
    run = Run("a", RunDirectory(tmp_path), recipe, scores={"scores": read_scores(path)})
    assert {group.title for group in groups([run])} == {f"Scores on {where}" for where in found.values()}


@pytest.mark.parametrize(("read", "name"), [(read_scores, "scores"), (read_losses, "losses")])
def test_arguments_of_data_that_are_none_are_damage(tmp_path, read, name):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({**TEST, "data": 3, "scores": {"a": {"value": 1.0}}}))
    with pytest.raises(ValueError, match=f"does not hold {name}.*no table"):
        read(path)


def test_the_report_puts_scores_on_each_split_together(tmp_path):
    path = tmp_path / "scores.json"
    keep_scores(path, {"gen/fid": score(3.0)}, **TEST)
    keep_scores(path, {"elbo_nats": score(-9.0)}, **TRAIN)
    run = Run("a", RunDirectory(tmp_path), Recipe(system="vae", dataset="digits"), scores={"scores": read_scores(path)})
    found = {group.title: {name: cells["a"].value for name, cells in group.rows.items()} for group in groups([run])}
    assert found == {"Scores on digits, test": {"gen/fid": "3"}, "Scores on digits, train": {"elbo_nats": "-9"}}
