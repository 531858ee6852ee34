"""Changing the WORKING version by a form: what is wrong stands beside the field, and nothing half-done is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from dispatcher.console.frame.precondition import as_drawn
from dispatcher.console.frame.sentences import back
from dispatcher.console.integrations.drawn import Drawn, Section, beside, changes, drawn
from dispatcher.console.integrations.forms import FORMS
from dispatcher.console.integrations.subject import Do, Show, Subject
from dispatcher.errors import RequestError, Unprocessable
from dispatcher.flow.integrations.fields.kind import Document
from dispatcher.model.ping import CredentialsTried
from dispatcher.pages.fields import Field, marked, typed
from dispatcher.pages.forms import wrongs

_UNREADABLE = "This cannot be read: check numbers, commas, quotes and brackets."


@dataclass(frozen=True, slots=True)
class Said:
    """Words that the form says again: ``wrong`` by field, ``problems`` of none, and findings of a trial."""

    wrong: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[str] = ()
    status: int = 200
    given: Mapping[str, str] = field(default_factory=dict)
    tried: CredentialsTried | None = None
    draft: str = ""


def showing_form(tab: str) -> Show:
    """The form of a tab."""

    async def show(request: web.Request, subject: Subject) -> web.StreamResponse:
        return form_page(request, subject, tab, Said())

    return show


def saving_form(tab: str) -> Do:
    """Save what was typed in the form of a tab. 403 where the definition is read-only, whoever asks."""

    async def save(request: web.Request, subject: Subject, fields: dict[str, str]) -> web.StreamResponse:
        subject.refuse_read_only()
        try:
            document = document_of(fields_of(subject, tab), fields)
            await subject.desk(request, "updateProductIntegration").change(
                subject.integration.id, document, as_drawn(fields)
            )
        except RequestError as error:
            return form_page(request, subject, tab, refused(error, fields))
        return back(f"{subject.path}{tab}", "saved")

    return save


def refused(error: RequestError, fields: Mapping[str, str]) -> Said:
    return Said(wrongs(error), status=error.status, given=fields)


def document_of(fields: Sequence[Drawn], given: Mapping[str, str]) -> Document:
    """Raises ``Unprocessable`` for a value that cannot be read."""
    try:
        return changes(fields, given)
    except ValueError as error:
        raise Unprocessable.of("invalid_value", _UNREADABLE, str(error)) from None


def fields_of(subject: Subject, tab: str) -> list[Drawn]:
    names = [name for group in FORMS[tab].values() for name in group]
    return drawn(subject.integration, names)


def form_page(request: web.Request, subject: Subject, tab: str, said: Said) -> web.Response:
    """The form as it stands, or as it was typed with what is wrong."""
    fields = fields_of(subject, tab)
    wrong, elsewhere = beside(fields, said.wrong)
    shown = tuple(one.field for one in fields)
    shown = marked(typed(shown, said.given) if said.given else shown, wrong)
    return subject.page(
        request,
        tab,
        said.status,
        sections=_sections(tab, fields, shown),
        problems=[*elsewhere, *said.problems],
        wrong_count=len(wrong),
        modified=said.given.get("modified") or str(subject.integration.modified_ms),
        tried=said.tried,
        draft=said.draft,
    )


def _sections(tab: str, fields: Sequence[Drawn], shown: Sequence[Field]) -> list[Section]:
    by_name: dict[str, list[Field]] = {}
    for one, field_ in zip(fields, shown, strict=True):
        by_name.setdefault(one.path[0], []).append(field_)
    groups = FORMS[tab].items()
    return [Section(title, tuple(one for name in names for one in by_name[name])) for title, names in groups]
