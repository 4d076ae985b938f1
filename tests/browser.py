"""A real browser for tests of pages: Chromium without a window, by Selenium.

    from browser import chromium  # noqa: F401

    @pytest.mark.slow
    def test_a_page(chromium, path):
        chromium.open(path)
        assert not chromium.complaints()

Where there is no browser such tests are skipped with the reason; in CI (the environment variable of that name is set)
they fail, and `.ci/run` installs it.
"""

import base64
import contextlib
import json
import os
import shutil

import pytest

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A `Browser` with a new profile, for the tests of a module."""
    programs = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    missing = [name for name, path in programs.items() if path is None]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"there is no {' and no '.join(missing)} on the path")
    assert not missing, f"CI must have {missing}: .ci/run installs the packages chromium and chromium-driver"
    with started(programs, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@contextlib.contextmanager
def started(programs, profile):
    """A `Browser`, ended with the block."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = programs["chromium"]
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(programs["chromedriver"]))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


class Browser:
    """A page in Chromium. `driver` is Selenium's."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, address, width=1280, height=900, scheme="light"):
        """Opens a file or an address, in a window of so many pixels (a phone's, below 500), in light or dark."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.emulate("", scheme)
        self.complaints(), self.requests()  # those of the page before
        self.driver.get(str(address) if "://" in str(address) else address.as_uri())

    def emulate(self, media, scheme="light"):
        """`media`: "print", or "" for the screen."""
        scheme = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": [scheme]})

    def run(self, script, *arguments):
        """What a piece of JavaScript returns."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition, seconds=20):
        """Returns what the JavaScript expression is once it is true."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, seconds).until(lambda driver: driver.execute_script(f"return {condition}"))

    def complaints(self):
        """What the console has said since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """The addresses of all that pages asked for since they were last asked for; of data in the page, "data:"."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        sent = [url for url in sent if not url.startswith("chrome")]  # chrome: and chrome-untrusted:, its first page
        return ["data:" if url.startswith("data:") else url for url in sent]

    def is_too_wide(self):
        """Whether the page can be scrolled sideways."""
        return self.run("return document.documentElement.scrollWidth > document.documentElement.clientWidth")

    def undecoded(self):
        """The alternative texts of pictures that are not shown."""
        script = "return [...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.alt)"
        return self.run(script)

    def hover(self, element):
        """Moves the mouse to the middle of an element."""
        self._mouse().move_to_element(element).perform()

    def click(self, element):
        """Moves the mouse to the middle of an element, and clicks where it then is; a plot needs a moment between."""
        self.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        self._mouse().move_to_element(element).pause(0.2).click().perform()

    def choose(self, dropdown, option):
        """An option of one of Dash's dropdowns."""
        self.click(self.driver.find_element("id", dropdown))
        listed = "[...document.querySelectorAll('[role=listbox] [role=option]')]"
        self.click(self.wait(f"{listed}.find(found => found.innerText.trim() == '{option}')"))

    def drag(self, element, *moves, pause=0, duration=250):
        """Presses the mouse in the middle of an element, moves it (right, down) by pixels, and lets it go.

        Each move takes `duration` milliseconds, and a `pause` of seconds follows.
        """
        mouse = self._mouse(duration).click_and_hold(element)
        for move in moves:
            mouse.move_by_offset(*move).pause(pause)
        mouse.release().perform()

    def whole(self, path):
        """A picture of the whole page, as wide as the window."""
        width, height = self.run("return [innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        options = {"clip": clip, "captureBeyondViewport": True}
        path.write_bytes(base64.b64decode(self.driver.execute_cdp_cmd("Page.captureScreenshot", options)["data"]))

    def save_in(self, folder):
        """Where what is saved goes."""
        self.driver.execute_cdp_cmd("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})

    def _mouse(self, duration=250):
        from selenium.webdriver import ActionChains

        return ActionChains(self.driver, duration)
