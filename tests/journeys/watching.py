"""Listens to what a browser complains of while somebody uses the pages."""

from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Page, Response

# A refusal that a journey asks for is an answer and no fault of the page; Chromium calls it an error of the console.
REFUSED = "Failed to load resource: the server responded with a status of 4"
CUT_OFF = "Failed to load resource: "


@dataclass
class Watch:
    """What went wrong: errors of scripts, what the security policy stopped, missing files, broken answers."""

    complaints: list[str] = field(default_factory=list)
    cut_off: list[Page] = field(default_factory=list)

    def over(self, page: Page, *, may_be_cut_off: bool = False) -> None:
        """Listen to a page from now on; the journey may take its vault or its network away from it."""
        if may_be_cut_off:
            self.cut_off.append(page)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        is_expected = message.page in self.cut_off and message.text.startswith(CUT_OFF)
        if message.type in {"error", "warning"} and not message.text.startswith(REFUSED) and not is_expected:
            self.complaints.append(f"{message.type}: {message.text}")

    def _response(self, response: Response) -> None:
        missing = response.status >= 400 and "/static/" in response.url
        if (response.status >= 500 and response.frame.page not in self.cut_off) or missing:
            self.complaints.append(f"{response.status} {response.url}")
