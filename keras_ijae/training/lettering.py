"""Words on pictures: what the rows are, and what the whole is."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIZE, MARGIN = 13, 6
"""Of letters, and around them, in pixels."""


def lettered(picture: np.ndarray, caption: str = "", rows: Sequence[tuple[int, str]] = ()) -> np.ndarray:
    """A picture on white with words.

    Args:
        picture: uint8 (height, width, 1 or 3).
        caption: below it, in as many lines as its width needs.
        rows: (y of the middle, what stands there), at its left.

    Returns:
        uint8, the picture as it was with white and words at the left and below.
    """
    font = ImageFont.load_default(SIZE)
    left = max((MARGIN * 2 + round(font.getlength(text)) for _, text in rows), default=0)
    height, width, channels = picture.shape
    lines = _lines(caption, font, left + width)
    step = round(SIZE * 1.4)
    below = MARGIN * 2 + step * len(lines) if lines else 0
    canvas = np.full((height + below, left + width, channels), 255, np.uint8)
    canvas[:height, left:] = picture
    image = Image.fromarray(canvas[..., 0] if channels == 1 else canvas)
    draw = ImageDraw.Draw(image)
    for y, text in rows:
        draw.text((left - MARGIN, y), text, fill="black", font=font, anchor="rm")
    for index, line in enumerate(lines):
        draw.text((MARGIN, height + MARGIN + step * index), line, fill="black", font=font)
    return np.asarray(image).reshape(canvas.shape)


def _lines(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Words in lines that are no wider, where a word is not."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width - 2 * MARGIN:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
