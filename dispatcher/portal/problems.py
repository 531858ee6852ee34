"""An error as a screen, with the way back."""

from __future__ import annotations

from aiohttp import web

from dispatcher.errors import RequestError
from dispatcher.portal.admission import DEVELOPER
from dispatcher.portal.developer import page, texts_for

_OWN_TEXTS = {404: "portal.no_such", 405: "portal.no_such", 500: "problem.text_500", 503: "problem.text_503"}
"""Texts for people, of errors whose text for programs would tell them nothing."""
_NOT_DONE = 409
"""For many reasons, each of which is told."""


def problem_page(request: web.Request, error: RequestError, request_id: str) -> web.Response:
    """Its status and headers stay."""
    developer = request.get(DEVELOPER)
    t = developer.t if developer else texts_for(request)
    known = f"problem.{error.status}" in t and error.status != _NOT_DONE
    title = t(f"problem.{error.status}" if known else "problem.other")
    own = _OWN_TEXTS.get(error.status)
    told = [t(own)] if own else [one.message for one in error.problems]
    values = {"title": title, "told": told, "request_id": request_id, "retry": error.status >= 500}
    if developer is None:
        response = page("problem-alone.html", t, values, error.status)
    else:
        response = developer.page("problem.html", error.status, **values)
    response.headers.update(error.headers)
    return response
