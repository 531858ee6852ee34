"""Pages as text. Holds no test."""

from __future__ import annotations

from html.parser import HTMLParser

from dispatcher.console.frame.rendering import SCRIPT as SCRIPT_PATH

VOID = {"meta", "link", "input", "br", "wbr"}


class Tags(HTMLParser):
    """Checks that every element is closed in its turn, and notes which there are."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag == "script":
            self.scripts += 1
            assert dict(attrs)["src"] == SCRIPT_PATH.path
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def sound(text: str) -> str:
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert tags.scripts <= 1
    assert not tags.seen & {"iframe", "img", "object", "base"}
    return text
