"""The page of an evaluation in a real browser: every topic has its row, and nothing is fetched and nothing fails.

Chromium prints the page as its scripts would have left it, its console to standard error, and its requests to a file. A
page that does fetch and fail goes the same way first, so that silence means something. Where there is no Chromium the
test says so and is skipped."""

import html.parser
import json
import pathlib
import shutil
import subprocess
import tempfile

from outside_packages import REPO, built_program

TOPICS = ["object_counting", "object_abs_distance", "object_size_estimation", "room_size_estimation",
          "object_rel_distance", "object_rel_direction_easy", "object_rel_direction_medium",
          "object_rel_direction_hard", "route_planning", "obj_appearance_order", "ego_distance", "ego_direction_side",
          "ego_direction_clock", "camera_distance", "camera_direction", "camera_turn", "camera_turn_side",
          "absent_class", "removed_object", "black_video", "frozen_video"]
BROKEN = """<!DOCTYPE html><html><body><img src="http://127.0.0.1:9/x.png"><script>console.error("broken")</script>
</body></html>"""
# What a browser would do of its own accord, apart from the page.
QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-extensions"]


class Elements(html.parser.HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def of(self, tag, attribute):
        return [attributes[attribute] for name, attributes in self.found if name == tag and attribute in attributes]


def browser():
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def opened(program, page, scratch):
    """The page's elements, what its console says, and the addresses that it asks the network for."""
    requests = scratch / "requests.json"
    # As root, as in a container, Chromium has no sandbox.
    command = [program, "--headless", "--no-sandbox", *QUIET, f"--user-data-dir={scratch / 'profile'}",
               "--enable-logging=stderr", f"--log-net-log={requests}", "--virtual-time-budget=2000", "--dump-dom",
               page.as_uri()]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
    console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    log = json.loads(requests.read_text())
    start = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    started = [event["params"] for event in log["events"] if event["type"] == start and "url" in event.get("params", {})]
    # The browser's own requests have no origin.
    asked = [job["url"] for job in started if job.get("initiator") != "not an origin"]
    return Elements(done.stdout), console, [url for url in asked if not url.startswith(("file:", "data:"))]


def evaluation(page):
    """Writes the page of a small evaluation of every topic."""
    trainer = built_program("spacer-train")
    model = REPO / "models/zoo/spacer-nano"
    command = [trainer, "evaluate", "--model", model, "--rooms", "heldout", "--walks", "--questions",
               str(len(TOPICS)), "--json", "--page", page]
    return json.loads(subprocess.run(command, check=True, cwd=REPO, stdout=subprocess.PIPE).stdout)


def check(program, scratch, page, report):
    broken = scratch / "broken.html"
    broken.write_text(BROKEN)
    _, console, requests = opened(program, broken, scratch)
    assert any("broken" in line for line in console) and requests == ["http://127.0.0.1:9/x.png"], (console, requests)

    elements, console, requests = opened(program, page, scratch)
    assert (console, requests) == ([], []), (console, requests)
    assert elements.of("tr", "data-group") == [group["name"] for group in report["groups"]] == TOPICS
    labels = elements.of("svg", "aria-label")
    assert labels.count("imagined map") == len(TOPICS), "an example of each topic"
    assert "true map" in labels and "stated and measured coverage of intervals" in labels, labels
    pictures = elements.of("img", "src")
    assert len(pictures) >= 8 * len(TOPICS) and all(src.startswith("data:image/jpeg") for src in pictures)
    print(f"{len(TOPICS)} rows, {len(labels)} drawings, {len(pictures)} pictures, {page.stat().st_size // 1024} KiB")


def main():
    program = browser()
    if program is None:
        print("SKIPPED: no browser (apt: chromium)")
        return
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        page = scratch / "report.html"
        check(program, scratch, page, evaluation(page))


if __name__ == "__main__":
    main()
