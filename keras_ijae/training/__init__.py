"""Callbacks, pictures, recipes and run directories."""

from keras_ijae.training.backup import Backup
from keras_ijae.training.callbacks import History, ReconstructionGrid, SampleGrid
from keras_ijae.training.classifier import train_classifier
from keras_ijae.training.comparing import compare_runs
from keras_ijae.training.distribution import STRATEGIES, distribution
from keras_ijae.training.drawing import FigureCallback, MaskRecorder
from keras_ijae.training.film import save_film
from keras_ijae.training.histograms import CodeHistograms
from keras_ijae.training.info import info
from keras_ijae.training.journal import Journal
from keras_ijae.training.metrics_callback import MetricsCallback
from keras_ijae.training.pictures import class_rows, grid, interleave, save_grid, save_pairs
from keras_ijae.training.progress import Progress
from keras_ijae.training.projector import Projector
from keras_ijae.training.recipes import RECIPES, Recipe, get_recipe
from keras_ijae.training.runs import RunDirectory, open_run
from keras_ijae.training.stopping import StopOnSignal
from keras_ijae.training.trainer import train

__all__ = [
    "Backup",
    "FigureCallback",
    "CodeHistograms",
    "History",
    "MaskRecorder",
    "Journal",
    "MetricsCallback",
    "Progress",
    "Projector",
    "RECIPES",
    "Recipe",
    "ReconstructionGrid",
    "RunDirectory",
    "STRATEGIES",
    "SampleGrid",
    "StopOnSignal",
    "class_rows",
    "compare_runs",
    "distribution",
    "get_recipe",
    "grid",
    "info",
    "interleave",
    "open_run",
    "save_film",
    "save_grid",
    "save_pairs",
    "train",
    "train_classifier",
]
