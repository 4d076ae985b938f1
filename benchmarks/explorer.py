"""How soon the image of the explorer follows a slider, in a browser; and the picture of its page in the documentation.

    python benchmarks/explorer.py RUN                                            # 20 moves of a slider
    python benchmarks/explorer.py RUN --busy 1                                   # with a core kept busy
    python benchmarks/explorer.py RUN --picture docs/pictures/explorer.png       # the page after some clicks

A move is timed from the browser's event of the mouse to the frame in which the new image is drawn. It needs Chromium,
its driver and Selenium, as the tests of pages do.
"""

import argparse
import contextlib
import multiprocessing
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

WATCH = """window.moves = []; window.images = []; const image = document.getElementById('image');
addEventListener('pointermove', event => event.buttons && moves.push(event.timeStamp), true);
new MutationObserver(() => image.decode().then(() => requestAnimationFrame(() => images.push(performance.now()))))
    .observe(image, {attributes: true, attributeFilter: ['src']});"""
READY = "document.querySelectorAll('#samples img').length && document.querySelector('#plane .point')"


def space_of(run: Path):
    """What the page shows of a run."""
    import keras_ijae as ki
    from keras_ijae.explorer import Space
    from keras_ijae.training import RunDirectory
    from keras_ijae.training.data import labelled_rows

    return Space(ki.load_model(run), *labelled_rows(RunDirectory(run).read_recipe(), None, 1000), run.resolve().name)


@contextlib.contextmanager
def opened(run: Path):
    """A browser at the page of a run."""
    from browser import started

    from keras_ijae.explorer import listening

    programs = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, listening(space_of(run), port=0) as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            with started(programs, profile) as browser:
                browser.open(server.url, 1280, 1500)
                browser.wait(READY, 60)
                yield browser
        finally:
            server.stop()
            thread.join()


def delays(browser, moves: int) -> np.ndarray:
    """Milliseconds from each move of a slider to its image."""
    browser.run(WATCH)
    there = [(-8 if index < moves / 2 else 8, 0) for index in range(moves)]
    browser.drag(browser.driver.find_element("css selector", "[role=slider]"), *there, pause=0.4, duration=0)
    time.sleep(1)
    begun, drawn = (np.array(browser.run(f"return window.{name}")) for name in ("moves", "images"))
    return np.array([drawn[drawn > one].min() - one for one in begun[:moves]])


def picture(browser, path: Path) -> None:
    """The page with something in each panel, as a PNG."""
    points = "#plane .scatterlayer .trace:nth-child({}) .point"
    for trace in (3, 9):
        browser.click(browser.driver.find_elements("css selector", points.format(trace))[2])
    square = (40, 0), (0, 40), (-80, 0), (0, -80), (80, 0), (0, 40)
    browser.drag(browser.driver.find_element("css selector", "#plane .nsewdrag"), *square)
    browser.wait("document.querySelectorAll('#selected img').length && document.querySelector('#way img')")
    browser.choose("added", "label 0")
    browser.wait("document.querySelectorAll('#arithmetic img').length")
    browser.whole(path)


@contextlib.contextmanager
def busy(cores: int):
    """So many processes that do nothing, as fast as they can."""
    spinning = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(cores)]
    for process in spinning:
        process.start()
    try:
        yield
    finally:
        for process in spinning:
            process.kill()


def _spin():
    while True:
        pass


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a run directory of images with labels, of a system with an encoder")
    parser.add_argument("--moves", type=int, default=20, help="of the slider (default: %(default)s)")
    parser.add_argument("--busy", type=int, default=0, help="cores kept busy meanwhile (default: %(default)s)")
    parser.add_argument("--picture", type=Path, help="PNG file to write, in the place of timing")
    given = parser.parse_args()
    with opened(given.run) as browser:
        if given.picture:
            return picture(browser, given.picture)
        with busy(given.busy):
            found = delays(browser, given.moves)
    print(f"{len(found)} moves: median {np.median(found):.0f} ms, largest {found.max():.0f} ms")


if __name__ == "__main__":
    main()
