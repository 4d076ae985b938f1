"""The machine that plays every system: it trains, saves, serves and builds them, and knows none of them by name."""

from keras_ijae.game.arguments import Common, FixedPrior, arguments_of
from keras_ijae.game.data import Batch
from keras_ijae.game.entries import ENTRIES
from keras_ijae.game.game import Game
from keras_ijae.game.loading import load_model
from keras_ijae.game.model import GenerativeModel
from keras_ijae.game.moves import Move, Phase, Played
from keras_ijae.game.presets import Preset
from keras_ijae.game.registry import create, list_models, register
from keras_ijae.game.roles import Role
from keras_ijae.game.watch import TrainingError
from keras_ijae.replicas import gathered, own_rows

__all__ = ["ENTRIES", "Batch", "Common", "FixedPrior", "Game", "GenerativeModel", "Move", "Phase", "Played", "Preset"]
__all__ += [
    "register",
    "Role",
    "TrainingError",
    "arguments_of",
    "create",
    "gathered",
    "list_models",
    "load_model",
    "own_rows",
]
