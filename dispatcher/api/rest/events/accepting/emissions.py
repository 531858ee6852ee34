"""Bodies as emissions. What is plainly right is taken as it is; of all else ``EventIn`` says what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from operator import attrgetter
from types import NoneType
from typing import Any, get_type_hints

from dispatcher.api.http.request.validation import validated
from dispatcher.api.rest.events.accepting.models import EventIn, TypeName
from dispatcher.api.rest.models import Name
from dispatcher.flow.events.making.emit import Emission

_fields_of = attrgetter(*Emission._fields)
"""Of an ``EventIn``, whose fields have the same names."""


def emission_of(body: Any) -> Emission:
    """Raises ``Unprocessable`` for a field that is missing, unknown or of another type."""
    return _plain(body) or Emission._make(_fields_of(validated(EventIn, body)))


def _plain(body: Any) -> Emission | None:
    """None where ``EventIn`` may find fault. Of a printable string it never does: no control character is one."""
    if type(body) is not dict or not body.keys() >= _REQUIRED:
        return None
    for name, value in body.items():
        kind = type(value)
        if kind not in _KINDS.get(name, ()) or (kind is str and not (0 < len(value) <= 255 and value.isprintable())):
            return None
    return Emission._make(map(body.get, _NAMES))


_KINDS_OF: Mapping[Any, Collection[type]] = {
    Name: {str},
    TypeName: {str},
    Name | None: {str, NoneType},
    dict[str, Any] | None: {dict, NoneType},
}
"""Values that a type of ``EventIn`` takes as they are, strings as far as they are printable names."""

_FIELDS = EventIn.model_fields
_NAMES = tuple(_FIELDS[name].alias or name for name in Emission._fields)
_REQUIRED = frozenset(field.alias or name for name, field in _FIELDS.items() if field.is_required())
_KINDS = {
    _FIELDS[name].alias or name: _KINDS_OF.get(annotation, ())
    for name, annotation in get_type_hints(EventIn, include_extras=True).items()
    if name in _FIELDS
}
"""By a field's name outside; none of any other type."""
