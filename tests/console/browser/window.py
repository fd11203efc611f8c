"""A window onto the console: Debian's chromium, and everything that a page in it complains of.

A complaint is a console error, an exception, a report of the content security policy, a dialog, or a request to
anywhere but the console. What is looked for in the page is the business of whoever opened the window.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, sync_playwright

CHROMIUM: Final = shutil.which("chromium")
MISSING: Final = "Debian's chromium is not installed (apt-get install chromium)"
REPORTS: Final = """
addEventListener("securitypolicyviolation", event =>
  console.error(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, without a head."""
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # chromium refuses to be root with one
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--disable-dev-shm-usage", *sandbox])
        try:
            yield browser
        finally:
            browser.close()


class Window:
    """One visitor of the console at `url`: a page with cookies of its own, and what it complained of.

    `forgive` is what a complaint may contain, and is then none: a page that answers 404 is one to the browser.
    """

    def __init__(self, browser: Browser, url: str, width: int = 1440, forgive: str = "", **options: Any) -> None:
        size = {"width": width, "height": 900}
        self._url, self._forgive = url, forgive or "\0"
        self.complaints: list[str] = []
        self._context: BrowserContext = browser.new_context(
            base_url=url, viewport=size, reduced_motion="reduce", locale="en-GB", **options
        )
        if options.get("java_script_enabled", True):
            self._context.add_init_script(REPORTS)
        self.page: Page = self._context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        self.page.on("dialog", self._answer)
        self.page.on("request", self._watch)

    def close(self) -> None:
        """End the visit."""
        self._context.close()

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"} and self._forgive not in said.text:
            self.complaints.append(f"{said.type}: {said.text}")

    def _answer(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _watch(self, request: Request) -> None:
        if not request.url.startswith((self._url, "data:")):
            self.complaints.append(f"request to {request.url}")
