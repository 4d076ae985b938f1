"""Whose weights those of a distribution are."""

from typing import Any


class Owned:
    """Base of distributions whose weights a model trains: they belong to the first model that is made with them."""

    _argument: str
    of_one_model: bool = False
    _owner: str | None = None

    def check_free(self) -> None:
        """Called by a model that is made with it.

        Raises:
            ValueError: it is another model's, which trains its weights or whose networks it is made of.
        """
        if self._owner is not None and (self.of_one_model or self.trainable_variables):
            name = self._argument
            raise ValueError(
                f"Argument `{name}` must be a new {type(self).__name__}, which belongs to one model, the first that is "
                f"made with it, also when that is gone: make another, as by {name}.from_config({name}.get_config()). "
                f"Received: one that a {self._owner} has"
            )

    @property
    def owner(self) -> str | None:
        """The class of the model that trains its weights; None where no model has it."""
        return self._owner

    def claim(self, model: Any) -> None:
        """Called by the model when that is whole: what it trains can be no other model's."""
        self._owner = type(model).__name__
