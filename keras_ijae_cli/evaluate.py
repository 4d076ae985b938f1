"""`keras-ijae evaluate`: a model's losses and scores on data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from keras_ijae_cli.own_modules import Import
from keras_ijae_cli.quiet import start_tensorflow
from keras_ijae_cli.use import Data, Model, Seed, Split, load, recipe_of

if TYPE_CHECKING:
    from keras_ijae.training import Recipe


def evaluate(
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
    dataset: Data = None,
    split: Split = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Examples in memory at once.")] = 256,
    cache: Annotated[Path | None, typer.Option(help="Directory that keeps features of data between calls.")] = None,
    seed: Seed = 0,
    import_: Import = None,
) -> None:
    """Measure a model on held-out data.

    Without --metrics: its losses and errors. With --metrics: scores of its samples (gen) and of its reconstructions
    (rec), each with all that it depends on. Only by the features of inception are they FID, KID and Inception Score; by
    others they compare systems on this dataset. A conditional model is given the labels of the data. A run directory
    also gets the scores, as evaluation.json and scores.json.

    [bold]Examples[/bold]

    [cyan]keras-ijae evaluate runs/mnist[/cyan]

    [cyan]keras-ijae train-classifier --dataset mnist[/cyan]
    [cyan]keras-ijae evaluate runs/mnist --metrics fid,kid,is,prd --features mnist-classifier.keras[/cyan]

    [cyan]keras-ijae evaluate runs/cgan --metrics class_accuracy,class_frechet --features mnist-classifier.keras[/cyan]

    [cyan]keras-ijae evaluate runs/cifar --metrics fid,lpips --features inception[/cyan]
    """
    loaded = load(model)
    recipe = recipe_of(model, dataset, loaded.classes)
    from keras_ijae.files import write_json
    from keras_ijae.training.data import held_out_split, in_order

    split = split or held_out_split(recipe)
    data = in_order(recipe, split, batch_size)
    if metrics is None:
        return _losses(model, loaded, recipe, split, data)
    names = [name.strip() for name in metrics.split(",") if name.strip()]
    extractors = _extractor(features, resize), _lpips(names, lpips_net, lpips_heads, lpips_backbone)
    found = _scores(loaded, data, names, extractors, recipe, samples, seed, cache)
    Console().print(found.table())
    if model.is_dir():
        write_json(model / "scores.json", {"dataset": recipe.dataset, "split": split, "scores": found.to_dict()})


def metrics() -> None:
    """List the scores that `keras-ijae evaluate --metrics` knows."""
    start_tensorflow()
    from keras_ijae.evaluation import MEASURES

    table = Table("metric", "of", "what it is")
    for name, measure in MEASURES.items():
        table.add_row(name, measure.takes, measure.summary)
    Console().print(table)


def _losses(model: Path, loaded: Any, recipe: Recipe, split: str, data: Any) -> None:
    from keras_ijae.files import plain, write_json

    scores = loaded.evaluate(data, return_dict=True, verbose=0)
    scores = {key: float(value) for key, value in scores.items()}
    table = Table("measure", f"{recipe.dataset}, {split}")
    for key, value in scores.items():
        table.add_row(key, f"{value:.5g}")
    Console().print(table)
    if model.is_dir():
        write_json(model / "evaluation.json", {"dataset": recipe.dataset, "split": split, "scores": plain(scores)})


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

    if features == "inception":
        return Inception(resize=resize)
    if features is not None and Path(features).suffix in (".pth", ".pb", ".tgz"):
        return Inception(features, resize)
    return features
