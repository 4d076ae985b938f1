"""Callbacks, pictures, recipes and run directories."""

from keras_ijae.training.backup import Backup
from keras_ijae.training.callbacks import History, ReconstructionGrid, SampleGrid
from keras_ijae.training.classifier import train_classifier
from keras_ijae.training.distribution import STRATEGIES, distribution
from keras_ijae.training.journal import Journal
from keras_ijae.training.metrics_callback import MetricsCallback
from keras_ijae.training.pictures import class_rows, grid, interleave, save_grid, save_pairs
from keras_ijae.training.progress import Progress
from keras_ijae.training.recipes import RECIPES, Recipe, get_recipe
from keras_ijae.training.runs import RunDirectory, open_run
from keras_ijae.training.stopping import StopOnSignal
from keras_ijae.training.trainer import train

__all__ = [
    "Backup",
    "History",
    "Journal",
    "MetricsCallback",
    "Progress",
    "RECIPES",
    "Recipe",
    "ReconstructionGrid",
    "RunDirectory",
    "STRATEGIES",
    "SampleGrid",
    "StopOnSignal",
    "class_rows",
    "distribution",
    "get_recipe",
    "grid",
    "interleave",
    "open_run",
    "save_grid",
    "save_pairs",
    "train",
    "train_classifier",
]
