"""docs/reference/event-types.md: each type with what its payload holds and a sample, from the catalogue."""

from __future__ import annotations

import json

from dispatcher.catalogue.parts import PARTS
from dispatcher.catalogue.samples import sample_payload
from dispatcher.catalogue.schemas import ENTRIES, payload_schema
from dispatcher.model.event_type import TYPE_RULES, EventType, TypeRule
from tests.docs.reference.forms import field_rows, sentence, table

HEAD = """# Event types

Each type with its payload, generated from the catalogue. `GET /v1/event-types/{type}` answers the same as JSON Schema
and sample, `GET /asyncapi.json` with all that surrounds a payload. Every part and every field may be absent or null
unless it is named as needed. What is sent around it: [delivery.md](../delivery.md#what-a-host-receives).
"""


def event_types_page() -> str:
    lines = [HEAD]
    for kind, rule in TYPE_RULES.items():
        lines += _type(kind, rule)
    lines += ["## Parts", ""]
    for name, schema in PARTS.items():
        lines += [f"### {name}", "", f"{sentence(schema.get('description'))}.", "", *table("field", field_rows(schema))]
    return "\n".join(lines).rstrip() + "\n"


def _type(kind: EventType, rule: TypeRule) -> list[str]:
    sample = json.dumps(sample_payload(kind), indent=2, ensure_ascii=False)
    return [f"## {kind.value}", "", " ".join(_about(kind, rule)), "", *_holds(kind), "```json", sample, "```", ""]


def _about(kind: EventType, rule: TypeRule) -> list[str]:
    about = [f"{ENTRIES[kind].description}."]
    if rule.alias and rule.emitted_by_callers:
        about.append(f"Also called `{rule.alias}`.")
    if rule.configurable:
        about.append(f"Goes to `{rule.url_field}` of the integration.")
    return about


def _holds(kind: EventType) -> list[str]:
    schema = payload_schema(kind)
    if set(schema["properties"]) == set(PARTS):
        return [f"Needed: {_needed(kind)}. Possible beside it: any of the [parts](#parts).", ""]
    return table("field", field_rows(schema))


def _needed(kind: EventType) -> str:
    needed = [_part(name, fields) for name, fields in ENTRIES[kind].needed.items()]
    return ", ".join(needed) or "nothing"


def _part(name: str, fields: tuple[str, ...]) -> str:
    link = f"[{name}](#{name.lower()})"
    return f"{link} with {', '.join(f'`{one}`' for one in fields)}" if fields else link
