"""The system's Chromium, which reaches nothing but what it is shown."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Page, sync_playwright

CHROMIUM = shutil.which("chromium")


@contextmanager
def chromium() -> Iterator[Browser]:
    """As root it has no sandbox of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"] if os.getuid() == 0 else []
        )
        try:
            yield browser
        finally:
            browser.close()


def take_picture(page: Page, path: Path, **how: Any) -> None:
    """A screenshot into a file. A headless Chromium on a busy machine now and then says that it is unable to capture
    one: then once more, and a third time."""
    for again in (True, True, False):
        try:
            page.screenshot(path=path, **how)
            return
        except Error as error:
            if not again or "Unable to capture screenshot" not in error.message:
                raise
