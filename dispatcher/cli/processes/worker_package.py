"""Makes sure that the ``worker`` to be imported is this program's own: the name is short, and others have it too."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from dispatcher.errors import ConfigurationError

OURS = Path(__file__).resolve().parents[3] / "worker"


def require_own_worker() -> None:
    """Raises ``ConfigurationError`` when another ``worker`` would be run, and runs nothing of it."""
    spec = find_spec("worker")
    if spec is None:
        raise ConfigurationError(f"the package `worker` is not installed beside `dispatcher`, in {OURS.parent}")
    places = [Path(place).resolve() for place in spec.submodule_search_locations or ()]
    if places == [OURS]:
        return
    found = spec.origin or ", ".join(map(str, places))
    raise ConfigurationError(
        f"`worker` is {found} here, which is not the package that came with `dispatcher` ({OURS}): "
        "start from another folder, take that file out of PYTHONPATH, or uninstall the other package of that name"
    )
