"""Target of operational events, made of settings beside those that publishers define. Never stored."""

from __future__ import annotations

from collections.abc import Sequence

from dispatcher.errors import ConfigurationError
from dispatcher.model.integration import AnswerMode, Integration, OutboundCredentials, Revision
from dispatcher.model.operational import OPERATIONS, OPERATIONS_URL
from dispatcher.policy.addresses.networks import Network
from dispatcher.policy.addresses.urls import check_url
from dispatcher.policy.integration_filter.filter import compile_filter
from dispatcher.policy.notification.signing import parse_secret, secret_problem
from worker.delivery.targets.target import Defaults, Target


def operations_target(
    url: str | None, secret: str | None, allow_networks: Sequence[Network], defaults: Defaults
) -> Target | None:
    """None where no operator listens. ``ConfigurationError``, which names the setting, for half of the two."""
    if url is None and secret is None:
        return None
    if not url or secret is None:
        raise ConfigurationError("set both DISPATCHER_OPERATIONS_URL and DISPATCHER_OPERATIONS_SECRET, or neither")
    problem = check_url(url, require_https=False, allow_networks=allow_networks, field="url")
    if problem is not None:
        raise ConfigurationError(f"DISPATCHER_OPERATIONS_URL: {problem.message}")
    if wrong := secret_problem(secret):
        raise ConfigurationError(f"DISPATCHER_OPERATIONS_SECRET: {wrong.message}")
    revision = Revision(number=1, urls={OPERATIONS_URL: url}, answers=AnswerMode.ACK)
    return Target(
        integration=Integration(OPERATIONS, 0, "", "Operations", 0, 0, working=revision, published_revision=1),
        revision=revision,
        keys=((parse_secret(secret), None),),
        credentials=OutboundCredentials(),
        token_key=None,
        fixed_headers={"Content-Type": "application/json"},
        secrets=(secret,),
        schedule_s=defaults.schedule_s,
        timeout_s=defaults.timeout_s,
        result_deadline_s=defaults.result_deadline_s,
        answers=revision.answers,
        filter=compile_filter(None),
    )
