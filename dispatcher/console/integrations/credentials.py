"""Credentials of an integration: tried before they are saved, masked when they are shown."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.services import CREDENTIAL_TRIALS
from dispatcher.console.frame.precondition import as_drawn
from dispatcher.console.frame.sentences import back
from dispatcher.console.integrations.editing import Said, document_of, fields_of, form_page, refused
from dispatcher.console.integrations.subject import Subject
from dispatcher.errors import RequestError
from dispatcher.flow.integrations.fields.kind import Document
from dispatcher.flow.pings.credentials import try_credentials
from dispatcher.model.integration import CredentialType
from dispatcher.model.ping import CredentialsTried
from dispatcher.store.secrets.sealing import SealError

TAB = "/credentials"
_CONTEXT = "console:credentials"


async def save_credentials(request: web.Request, subject: Subject, fields: dict[str, str]) -> web.StreamResponse:
    """``do``: ``try`` saves nothing; ``save`` tries first, and saves what works; ``anyway`` saves what was tried."""
    subject.refuse_read_only()
    wanted = fields.get("do", "save")
    try:
        document = _draft(subject, fields) if wanted == "anyway" else _typed(subject, fields)
        tried = await _tried(request, subject, document) if wanted != "anyway" else None
        if tried is not None and (wanted == "try" or not tried.success):
            return _page(request, subject, fields, document, tried)
        await subject.desk(request, "updateProductIntegration").change(
            subject.integration.id, document, as_drawn(fields)
        )
    except RequestError as error:
        return form_page(request, subject, TAB, refused(error, fields))
    return back(f"{subject.path}{TAB}", "saved")


async def _tried(request: web.Request, subject: Subject, document: Document) -> CredentialsTried:
    """One token, by a worker; what saving would refuse is refused here."""
    caller, services, integration_id = subject.viewer.caller, subject.viewer.services, subject.integration.id
    async with noted(request, "testProductIntegrationCredentials", "integration", integration_id):
        return await try_credentials(
            subject.definitions,
            services.editor,
            request.app[CREDENTIAL_TRIALS],
            integration_id,
            document,
            caller.vendor_id,
        )


def _typed(subject: Subject, fields: Mapping[str, str]) -> Document:
    """With the fields that only OAuth 2 has left alone where it is not what is chosen."""
    document = dict(document_of(fields_of(subject, TAB), fields))
    if fields.get("outboundCredentials.type") == CredentialType.NONE:
        document["outboundCredentials"] = None
    return document


def _page(
    request: web.Request, subject: Subject, fields: Mapping[str, str], document: Document, tried: CredentialsTried
) -> web.Response:
    sealed = subject.viewer.services.sealer.seal(orjson.dumps(document).decode(), _context(subject))
    status = 200 if tried.success else 422
    return form_page(request, subject, TAB, Said(status=status, given=fields, tried=tried, draft=sealed))


def _draft(subject: Subject, fields: Mapping[str, str]) -> Document:
    """Credentials that were tried, which only this session can give back, and only for this integration."""
    try:
        document: Document = orjson.loads(
            subject.viewer.services.sealer.open(fields.get("draft", ""), _context(subject))
        )
    except (SealError, ValueError):
        return _typed(subject, fields)
    return document


def _context(subject: Subject) -> str:
    return f"{_CONTEXT}:{subject.integration.id}:{subject.viewer.session_id}"
