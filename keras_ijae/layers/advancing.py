"""Layers that change once a step."""


class Advancing:
    """A layer with a state that the game moves on once a step, never a forward pass; listed before its Keras layer."""

    def advance(self) -> None:
        """Go on to the next step."""
        raise NotImplementedError(f"{type(self).__name__} must define `advance()`.")
