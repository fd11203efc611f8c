"""A window onto the console: Debian's chromium, and everything that a page in it complains of.

A complaint is a console error, an exception, a report of the content security policy, a dialog, or a request to
anywhere but the console. What is looked for in the page is the business of whoever opened the window.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

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
    """One visitor of the console at `url`, with cookies of its own, and what its pages have complained of."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.complaints: list[str] = []
        self._url, self._forgive = url, "\0"
        self._context: BrowserContext = browser.new_context(
            base_url=url, reduced_motion="reduce", locale="en-GB", **options
        )
        if options.get("java_script_enabled", True):
            self._context.add_init_script(REPORTS)
        self._context.on("console", self._hear)
        self._context.on("weberror", lambda error: self.complaints.append(f"exception: {error.error}"))
        self._context.on("dialog", self._answer)
        self._context.on("request", self._watch)
        self._context.on("requestfailed", self._forget)
        self.page: Page = self._context.new_page()

    def enter(self, width: int = 1440, forgive: str = "", scheme: Literal["light", "dark"] = "light") -> Page:
        """A new visit. What complaints may contain is forgiven: to the browser, a page that answers 404 is one."""
        self._forgive = forgive or "\0"
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=scheme)
        return self.page

    def leave(self) -> list[str]:
        """End the visit, forget its cookies, and tell what was complained of."""
        for page in self._context.pages:
            if page is not self.page:
                page.close()
        self.page.goto("about:blank")
        self._context.clear_cookies()
        found, self.complaints = self.complaints, []
        return found

    def close(self) -> None:
        """No more visits."""
        self._context.close()

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"} and self._forgive not in said.text:
            self.complaints.append(f"{said.type}: {said.text}")

    def _answer(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _watch(self, request: Request) -> None:
        if not request.url.startswith((self._url, "data:", "about:")):
            self.complaints.append(f"request to {request.url}")

    def _forget(self, request: Request) -> None:
        """What the content security policy has stopped was never asked for; the policy's own report stays."""
        if request.failure == "csp" and (complaint := f"request to {request.url}") in self.complaints:
            self.complaints.remove(complaint)
