"""An error as a page of the marketplace, with the way back."""

from __future__ import annotations

from aiohttp import web

from dispatcher.errors import RequestError
from dispatcher.marketplace.entrance.admission import GUEST
from dispatcher.marketplace.entrance.guest import page, texts_for

_OWN_TEXTS = (404, 500, 503)
"""Texts for people, of errors whose text for programs would tell them nothing."""


def problem_page(request: web.Request, error: RequestError, request_id: str) -> web.Response:
    """Its status and headers stay."""
    guest = request.get(GUEST)
    t = guest.t if guest else texts_for(request, None, None)
    status = error.status if f"problem.{error.status}" in t else 0
    title = t(f"problem.{status}" if status else "problem.other")
    told = [t(f"problem.text_{status}")] if status in _OWN_TEXTS else [one.message for one in error.problems]
    if status == 405:
        told = [t("problem.text_404")]
    values = {"title": title, "told": told, "request_id": request_id, "retry": error.status >= 500}
    if guest is None:
        response = page("problem-alone.html", None, t, values, error.status)
    else:
        response = guest.page("problem.html", error.status, **values)
    response.headers.update(error.headers)
    return response
