"""`keras-ijae evaluate`: a model's losses and scores on data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from keras_ijae_cli.output import note, tell
from keras_ijae_cli.own_modules import Import
from keras_ijae_cli.quiet import start_tensorflow
from keras_ijae_cli.tables import Csv, Json, show
from keras_ijae_cli.use import Data, Dataset, Model, Seed, Split, load, recipe_of

_OF_METRICS = ("features", "resize", "lpips_net", "lpips_heads", "lpips_backbone", "samples", "cache", "seed")
"""Options that say nothing of losses."""
_OF_FEATURES, _OF_LPIPS = ("features", "resize", "cache"), ("lpips_net", "lpips_heads", "lpips_backbone")


def evaluate(
    context: typer.Context,
    model: Model,
    metrics: Annotated[
        str | None,
        typer.Option(help="Scores, separated by commas: fid,kid,is,prd,...; `keras-ijae metrics` lists them."),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(
            help="Extractor: inception, a file of its weights (.pth, .pb, .tgz), a classifier that train-classifier "
            "stored (.keras), or data."
        ),
    ] = None,
    resize: Annotated[
        str, typer.Option(help="How inception resizes: legacy_tensorflow, legacy_pytorch or clean.")
    ] = "legacy_tensorflow",
    lpips_net: Annotated[str, typer.Option(help="Backbone of lpips: alex, vgg or squeeze.")] = "alex",
    lpips_heads: Annotated[Path | None, typer.Option(help="File of lpips' heads; downloaded by default.")] = None,
    lpips_backbone: Annotated[Path | None, typer.Option(help="File of its backbone; downloaded by default.")] = None,
    samples: Annotated[int | None, typer.Option(min=2, help="How many samples; as many as data by default.")] = None,
    dataset: Dataset = None,
    data_: Data = None,
    split: Split = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Examples in memory at once.")] = 256,
    cache: Annotated[Path | None, typer.Option(help="Directory that keeps features of data between calls.")] = None,
    seed: Seed = 0,
    csv: Csv = False,
    json: Json = False,
    import_: Import = None,
) -> None:
    """Measure a model on held-out data.

    Without --metrics: its losses and errors, of reconstructions without the encoder's noise. With --metrics: scores of
    its samples (gen) and of its reconstructions (rec), whose codes are drawn, each with all that it depends on. Only by
    the features of inception are they FID, KID and Inception Score; by others they compare systems on this dataset. A
    conditional model is given the labels of the data. A run directory also gets the scores, as evaluation.json and
    scores.json, beside what was measured before.

    [bold]Examples[/bold]

    [cyan]keras-ijae evaluate runs/mnist[/cyan]

    [cyan]keras-ijae evaluate runs/mnist --json > losses.json[/cyan]

    [cyan]keras-ijae train-classifier --dataset mnist[/cyan]
    [cyan]keras-ijae evaluate runs/mnist --metrics fid,kid,is,prd --features mnist-classifier.keras[/cyan]

    [cyan]keras-ijae evaluate runs/cgan --metrics class_accuracy,class_frechet --features mnist-classifier.keras[/cyan]

    [cyan]keras-ijae evaluate runs/cifar --metrics fid,lpips --features inception[/cyan]
    """
    names = None if metrics is None else [name.strip() for name in metrics.split(",") if name.strip()]
    _refuse_unused(context, names, features)
    loaded = load(model)
    recipe = recipe_of(model, dataset, loaded, data_)
    from keras_ijae.files import check_directory, plain
    from keras_ijae.training.data import held_out_split, in_order
    from keras_ijae.training.measured import data_in_words, keep_losses, keep_scores

    if cache is not None:
        check_directory(cache, "Option --cache")
    keeps = _keeps(model)

    split = split or held_out_split(recipe)
    data = in_order(recipe, split, batch_size)
    of = _of_data(recipe, split, model)
    measured = f"Measured {model} on {data_in_words(recipe.dataset, recipe.data, split)}"
    if names is None:
        losses = _losses(loaded, data)
        tell(measured)
        if loaded.code_noise_dim and "squared_error_sum" in losses:
            tell("Errors are of reconstructions without the encoder's noise; --metrics and reports draw their codes.")
        if keeps:
            for line in keep_losses(model / "evaluation.json", plain(losses), **of):
                note(line)
        return show([{"measure": name, "value": value} for name, value in losses.items()], csv, json)
    extractors = _extractor(features, resize), _lpips(names, lpips_net, lpips_heads, lpips_backbone)
    found = _scores(loaded, data, names, extractors, recipe, samples, seed, cache)
    tell(measured)
    if loaded.code_noise_dim and any(name.startswith("rec/") for name in found.scores):
        tell("The codes of reconstructions (rec) are drawn with the seed; `evaluate` without --metrics draws none.")
    if keeps:
        for line in keep_scores(model / "scores.json", found.to_dict(), **of):
            note(line)
    if csv or json:
        return show(found.rows(), csv, json)
    Console().print(found.table())


def metrics(csv: Csv = False, json: Json = False) -> None:
    """List the scores that `keras-ijae evaluate --metrics` knows."""
    start_tensorflow()
    from keras_ijae.evaluation import MEASURES

    show([{"metric": k, "of": m.takes, "what it is": m.summary} for k, m in MEASURES.items()], csv, json)


def _refuse_unused(context: typer.Context, names: list[str] | None, features: str | None) -> None:
    """ValueError for an option that was given and that nothing of what is measured uses; names None: losses."""
    for option in context.command.params:
        if option.name in _OF_METRICS and context.get_parameter_source(option.name).name == "COMMANDLINE":
            if names is None:
                raise ValueError(
                    f"Option {option.opts[0]} goes with --metrics: losses, which are measured without that, do not use "
                    "it. Give --metrics fid, or others that `keras-ijae metrics` lists, too."
                )
            if option.name in (*_OF_FEATURES, *_OF_LPIPS):
                _refuse_without_users(option, names, features)


def _refuse_without_users(option: Any, names: list[str], features: str | None) -> None:
    """ValueError unless an option of features or of lpips is used: by one of the metrics, and by the features."""
    start_tensorflow(devices=False)
    from keras_ijae.evaluation import MEASURES
    from keras_ijae.evaluation.requirements import OF_FEATURES
    from keras_ijae.metrics.features.inception import SUFFIXES

    takes = ("perceptual",) if option.name in _OF_LPIPS else OF_FEATURES
    users = [name for name, measure in MEASURES.items() if measure.takes in takes]
    if set(names) <= MEASURES.keys() and not set(users) & set(names):
        raise ValueError(
            f"Option {option.opts[0]} goes with --metrics that use it: {', '.join(users)}. Received: {','.join(names)}"
        )
    if option.name == "resize" and features is not None and not _of_inception(features):
        raise ValueError(
            f"Option --resize goes with --features inception, or a file of its weights ({', '.join(SUFFIXES)}), "
            f"which alone use it. Received: {features}"
        )


def _of_data(recipe: Any, split: str, model: Path) -> dict[str, Any]:
    """What is kept with scores: data set, split, and arguments of the data where these are not the run's own."""
    from keras_ijae.training import RunDirectory

    recorded = RunDirectory(model).read_recipe() if model.is_dir() else None
    own = recorded.data if recorded is not None and recipe.dataset == recorded.dataset else {}
    return {"dataset": recipe.dataset, "split": split} | ({} if recipe.data == own else {"data": recipe.data})


def _keeps(run: Path) -> bool:
    """Whether there is a run directory that can keep what is measured; ValueError if its older scores are damaged."""
    from keras_ijae.files import check_directory
    from keras_ijae.training.measured import read_losses, read_scores

    if not run.is_dir():
        return False
    for name, read in (("scores.json", read_scores), ("evaluation.json", read_losses)):
        if (run / name).is_file():
            read(run / name)
    try:
        check_directory(run)
    except ValueError:
        note(f"The directory {run} cannot be written into: scores are printed, and not kept")
        return False
    return True


def _losses(loaded: Any, data: Any) -> dict[str, float]:
    import keras

    from keras_ijae.progress import tracked

    class Shown(keras.callbacks.Callback):
        def on_test_begin(self, logs: dict | None = None) -> None:
            self.steps = tracked(range(self.params["steps"] or 0), "losses", True)
            next(self.steps, None)

        def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
            next(self.steps, None)

    scores = loaded.evaluate(data, return_dict=True, verbose=0, callbacks=[Shown()])
    return {key: float(value) for key, value in scores.items()}


def _scores(model, data, names, extractors, recipe, samples, seed, cache):
    from keras_ijae.evaluation import MEASURES, evaluate
    from keras_ijae.training.data import in_order, splits

    features, lpips = extractors
    copies = any(name in MEASURES and MEASURES[name].takes == "copies" for name in names)
    options = {"samples": samples, "seed": seed, "cache": cache, "progress": True}
    return evaluate(
        model,
        data,
        names,
        features,
        lpips=lpips,
        train=in_order(recipe, splits(recipe)["train"]) if copies else None,
        **options,
    )


def _lpips(names: list[str], net: str, heads: Path | None, backbone: Path | None) -> Any:
    from keras_ijae.metrics import LPIPS

    return LPIPS(net, heads, backbone) if "lpips" in names else None


def _extractor(features: str | None, resize: str) -> Any:
    from keras_ijae.metrics.features import Inception

    if not _of_inception(features):
        return features
    return Inception(None if features == "inception" else features, resize)


def _of_inception(features: str | None) -> bool:
    from keras_ijae.metrics.features.inception import SUFFIXES

    return features is not None and (features == "inception" or Path(features).suffix in SUFFIXES)
