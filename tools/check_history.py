"""Check that the published benchmark history shows its graphs in a browser.

Usage: ``python tools/check_history.py [--screenshots FOLDER]``, after ``asv run``.

``asv publish`` writes the pages from the results that are there; they are served on
this machine and opened in Chromium without a window.  Every benchmark must be in the
grid, those with results must have a graph with points, and no page may report an
error.  Exit code: 0 if so, 1 if not, 2 if something that is needed is missing.

asv's pages load jQuery, flot and Bootstrap from the web.  With npm, the same versions
(of one, the next that npm has) are installed and served from here: then the check
needs npm's registry and nothing else.

Needs asv and Selenium (``pip install 'fastact[bench]'``), and Chromium with its driver
(Debian: ``apt-get install chromium chromium-driver``).
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import http.server
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "asv_bench" / "asv.conf.json"
HTML = CONFIG.parent / "html"

#: what asv's index.html loads -> npm package, and the file in it
LIBRARIES = {
    "jquery-3.3.1.min.js": ("jquery@3.3.1", "dist/jquery.min.js"),
    "jquery.flot.min.js": ("flot@0.8.3", "jquery.flot.js"),
    "jquery.flot.time.min.js": ("flot@0.8.3", "jquery.flot.time.js"),
    "jquery.flot.selection.min.js": ("flot@0.8.3", "jquery.flot.selection.js"),
    "jquery.flot.categories.min.js": ("flot@0.8.3", "jquery.flot.categories.js"),
    "jquery.flot.orderBars.js": ("flot-orderbars@1.0.0", "js/jquery.flot.orderBars.js"),
    "stupidtable.min.js": ("stupid-table-plugin@1.1.3", "stupidtable.min.js"),
    "md5.min.js": ("blueimp-md5@2.19.0", "js/md5.min.js"),
    "bootstrap.min.js": ("bootstrap@3.1.1", "dist/js/bootstrap.min.js"),
    "bootstrap.min.css": ("bootstrap@3.1.1", "dist/css/bootstrap.min.css"),
}

#: the points that are plotted, and whether the canvas has anything on it
GRAPH = """
var plot = window.$ && $('#main-graph').data('plot');
if (!plot) return [0, false];
var canvas = plot.getCanvas(), drawn = false;
var pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
for (var i = 3; i < pixels.length && !drawn; i += 4) drawn = pixels[i] > 0;
var points = 0;
plot.getData().forEach(function(s) {
    s.data.forEach(function(p) { points += p && p[1] !== null; });
});
return [points, drawn];
"""


class Missing(Exception):
    """Something has to be installed or run first."""


def browser(folder: Path) -> Any:
    """Chromium without a window, its profile in ``folder``."""
    try:
        from selenium import webdriver
    except ImportError:
        raise Missing("Selenium is not installed: pip install 'fastact[bench]'") from None
    names = ("chromium", "chromium-browser", "google-chrome")
    program, driver = next(filter(None, map(shutil.which, names)), None), shutil.which(
        "chromedriver"
    )
    if not program or not driver:
        raise Missing(
            f"no {'Chromium' if not program else 'chromedriver'} found: "
            "apt-get install chromium chromium-driver"
        )
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (
        "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
        "disable-background-networking", "disable-component-update", "disable-sync",
        f"user-data-dir={folder}", "window-size=1400,1000",
    ):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(driver))


def publish(folder: Path) -> None:
    """The pages in ``folder``, with the libraries beside them if there is npm."""
    done = subprocess.run(
        [sys.executable, "-m", "asv", "publish", "--config", str(CONFIG)],
        capture_output=True, text=True,
    )
    if done.returncode:
        raise Missing(f"asv publish failed; asv run first?\n{done.stdout}{done.stderr}")
    shutil.copytree(HTML, folder)
    npm = shutil.which("npm")
    packages = sorted({package for package, _ in LIBRARIES.values()})
    if not npm or subprocess.run(
        [npm, "install", "--silent", "--no-save", "--ignore-scripts", "--no-audit",
         "--no-fund", "--prefix", str(folder), *packages],
    ).returncode:
        print("no npm, or no packages from it: the pages load their libraries from the web")
        return
    page = folder / "index.html"
    page.write_text(
        re.sub(r'(src|href)="https://[^"]*/([^"/]+\.(?:js|css))"[^>]*?(/?>)', local,
               page.read_text(encoding="utf-8")),
        encoding="utf-8",
    )


def local(match: re.Match) -> str:
    """The attribute of a library, leading here.

    Without its checksum: flot comes from npm as its authors wrote it, not minified.
    """
    attribute, file, end = match.groups()
    if file not in LIBRARIES:
        raise Missing(f"asv's pages load {file}, which {Path(__file__).name} does not know")
    package, path = LIBRARIES[file]
    kind = ' rel="stylesheet"' if file.endswith(".css") else ""
    return f'{attribute}="node_modules/{package.partition("@")[0]}/{path}"{kind}{end}'


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which ``folder`` is served."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Check:
    """What is looked at in the browser, and what is wrong with it."""

    def __init__(
        self, chrome: Any, address: str, names: list[str], screenshots: Path | None
    ) -> None:
        self.chrome, self.address, self.screenshots = chrome, address, screenshots
        self.names = names  #: of the benchmarks with results
        self.problems: list[str] = []

    def wait(self, script: str, good: Any, what: str) -> Any:
        """What ``script`` returns once it is good, or a problem after ten seconds."""
        from selenium.common.exceptions import TimeoutException
        from selenium.webdriver.support.ui import WebDriverWait

        result: Any = None

        def test(chrome: Any) -> bool:
            nonlocal result
            result = chrome.execute_script(script)
            return good(result)

        try:
            WebDriverWait(self.chrome, 10, poll_frequency=0.1).until(test)
        except TimeoutException:
            self.problems.append(f"{what}: {result}")
        return result

    def errors(self, page: str) -> None:
        """What the console says is an error.

        The grid asks for summaries of benchmarks without results too, in vain.
        """
        absent = re.compile(rf"graphs/summary/(?!({'|'.join(self.names)})\.json)")
        self.problems += [
            f"{page}: {entry['message']}" for entry in self.chrome.get_log("browser")
            if entry["level"] == "SEVERE" and not absent.search(entry["message"])
        ]

    def picture(self, name: str) -> None:
        if self.screenshots:
            self.screenshots.mkdir(parents=True, exist_ok=True)
            self.chrome.save_screenshot(str(self.screenshots / f"{name}.png"))

    def grid(self, count: int) -> None:
        self.chrome.get(self.address)
        links = "document.querySelectorAll('#summarygrid-display .benchmark-container')"
        self.wait(f"return {links}.length", lambda n: n == count, f"grid of {count}")
        self.errors("grid")
        self.picture("grid")

    def graph(self, name: str) -> int:
        """How many points there are, on a page loaded anew."""
        self.chrome.get("about:blank")
        self.chrome.get(f"{self.address}#{name}")
        title = "return document.querySelector('#title').textContent"
        self.wait(title, lambda text: text == name, f"{name}: title")
        points, _ = self.wait(
            GRAPH, lambda found: found[0] > 0 and found[1], f"{name}: points, drawn"
        )
        self.errors(name)
        return points


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER",
                        help="keep pictures of the grid and of a graph")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            chrome = browser(folder / "profile")
        except Missing as problem:
            print(f"check_history: {problem}", file=sys.stderr)
            return 2
        try:
            publish(folder / "html")
            index = json.loads((folder / "html" / "index.json").read_text())
            summaries = folder / "html" / "graphs" / "summary"
            names = sorted(file.stem for file in summaries.glob("*.json"))
            if not names:
                raise Missing("asv has no results: asv run first")
            with served(folder / "html") as address:
                check = Check(chrome, address, names, args.screenshots)
                check.grid(len(index["benchmarks"]))
                points = 0
                for name in names:
                    points += check.graph(name)
                check.picture("graph")
        except Missing as problem:
            print(f"check_history: {problem}", file=sys.stderr)
            return 2
        finally:
            chrome.quit()
    print(*check.problems, sep="\n", end="\n" if check.problems else "")
    print(f"{len(names)} graphs, {points} points, {len(check.problems)} problems")
    return 1 if check.problems else 0


if __name__ == "__main__":
    sys.exit(main())
