"""What one section shows of one run."""

import dataclasses

from keras_ijae.report.charts import Chart
from keras_ijae.report.pictures import Tile


@dataclasses.dataclass(frozen=True)
class Panel:
    """What one section shows of one run.

    Attributes:
        text: what is seen, and how it was made.
        tiles: pictures.
        charts: figures.
        absent: whether there is nothing to see; `text` says why.
    """

    text: str
    tiles: list[Tile] = dataclasses.field(default_factory=list)
    charts: list[Chart] = dataclasses.field(default_factory=list)
    absent: bool = False
