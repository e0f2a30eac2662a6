"""For the tests that need a browser: the system's Chromium, and a server of files on this machine."""

import functools
import http.server
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(folder: Path):
    """The address at which the files of a folder can be read, on this machine only."""
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def jupyter(command: list[str], home: Path, cwd: Path | None = None, token: str = ""):
    """A JupyterLab with settings of its own below ``home``: a match of the address that it prints.

    ``token`` is a pattern of what follows ``/lab`` in the address; the port is the first group.
    """
    folders = {f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    folders |= {f"JUPYTERLAB_{name}_DIR": str(home / name) for name in ("SETTINGS", "WORKSPACES")}
    log = home / "log.txt"
    with log.open("w") as out:
        server = subprocess.Popen(
            command, cwd=cwd, env=os.environ | folders, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield _address(server, log, rf"http://(?:localhost|127\.0\.0\.1):(\d+)/lab{token}")
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def _address(server, log: Path, pattern: str) -> re.Match:
    for _ in range(600):
        if found := re.search(pattern, log.read_text()):
            return found
        assert server.poll() is None, log.read_text()
        time.sleep(0.2)
    raise AssertionError(f"no address after two minutes: {log.read_text()}")


@contextmanager
def browser():
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield chromium
        chromium.close()


@contextmanager
def opened(chromium, url: str, width=1280, height=800, theme="light"):
    """A page of the book or a deck, loaded; ``page.complaints`` has what the console said and asked for."""
    page = chromium.new_context(viewport={"width": width, "height": height}).new_page()
    page.complaints = []
    home = url.rsplit("/", 1)[0]

    def asked(request):
        if not request.url.startswith((home, "data:", "blob:")):
            page.complaints.append(f"asked for {request.url}")

    page.on("console", lambda m: m.type in ("error", "warning") and page.complaints.append(m.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", asked)
    page.add_init_script(f"localStorage.setItem('mdbook-theme', '{theme}')")
    page.goto(url)
    page.wait_for_load_state("networkidle")
    try:
        yield page
    finally:
        page.context.close()
