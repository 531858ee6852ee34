"""docs/configuration.md, from the settings class."""

from __future__ import annotations

from dispatcher.effective_settings import bounds, shown
from dispatcher.settings import Settings

_HEAD = """# Configuration

Every setting is an environment variable. This page is generated from `dispatcher/settings.py`; `dispatcher config`
shows the same with the values in use, `dispatcher config --json` for programs. An unreadable value stops the start.

| variable | default | bounds | meaning |
|---|---|---|---|
"""


def settings_page() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = shown(field.default)
        text = "" if default in (None, "") else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        rows.append(f"| `DISPATCHER_{name.upper()}` | {text} | {bounds(field) or ''} | {field.description} |")
    return _HEAD + "\n".join(rows) + "\n"
