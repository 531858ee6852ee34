"""Keys of installations and of those who take part. Only ``store/installations`` writes them."""

from __future__ import annotations

from dispatcher.store.keys.forms import with_id

INSTALLATION_COUNTERS = "{def}:counters"
"""hash: ``marketplace``, ``template``, ``connector``, ``property`` → last id given. For ever. Written by the API."""
MARKETPLACES = "{def}:marketplaces"
"""zset: marketplace id, score = the same. Until it is deleted. Written by the API."""
TEMPLATES = "{def}:templates"
"""zset: connector template id, score = the same. Until it is deleted. Written by the API."""
TEMPLATE_NAMES = "{def}:template-names"
"""hash: name → JSON, the ids of all templates of that name. Until they are deleted. Written by the API."""
USERNAMES = "{def}:usernames"
"""hash: folded user name → JSON, ``[marketplace id, user id]`` of each. Until they are deleted. Written by the API."""
CONNECTORS_OF = "{def}:acc-connectors"
"""hash: account id → JSON, ``[id, name, integration id]`` of each. Until they are deleted. Written by all."""
marketplace = with_id("{def}:mk:")
"""string: JSON of ``Marketplace``. Until it is deleted. Written by the API."""
template = with_id("{def}:tpl:")
"""string: JSON of ``ConnectorTemplate``. Until it is deleted. Written by the API."""
account = with_id("{def}:acc:")
"""string: JSON of ``Account``. Until it is deleted. Written by the API."""
accounts_of = with_id("{def}:mk-accounts:")
"""zset: ids of a marketplace's accounts, score = created ms. Until they are deleted. Written by the API."""
user = with_id("{def}:user:")
"""string: JSON of ``User``. Until it is deleted. Written by the API."""
users_of = with_id("{def}:acc-users:")
"""zset: ids of an account's users, score = created ms. Until they are deleted. Written by the API."""
session = with_id("{def}:session:")
"""string: JSON of a one-time link, by its token's SHA-256. Until a day later. Written by the API."""
portal_link = with_id("{def}:portal-link:")
"""string: JSON of ``PortalLink``, by its id. Until a day later. Written by the API."""
portal_end = with_id("{def}:portal-end:")
"""string: JSON with ``ended_ms``, by integration. Until no older session could last. Written by the API."""
authorization = with_id("{def}:authorization:")
"""string: JSON of ``PendingAuthorization``, by its state's hash. Until it is taken, or 10 min. Written by the API."""
connector = with_id("{def}:con:")
"""string: JSON of ``AccountConnector``. Until it is deleted. Written by all."""
INSTALLATIONS = "{def}:installations"
"""zset: installation ids, which sort by age, scores 0. Until they are deleted. Written by all."""
NEWEST = "{def}:n-newest"
"""hash: integration id → what was installed of it last. Until the integration is deleted. Written by all."""
EXCLUSIVE = "{def}:n-exclusive"
"""hash: account LF product → the installation that a page made of it. Until it is deleted. Written by all."""
OUTBOX = "{def}:outbox"
"""zset: installation id, score = ms of its newest effect. Until the queue has all of them. Written by all."""
UPDATES = "{def}:updates"
"""zset: installation id, score = since when an update of it is in progress. Until that ends. Written by all."""
REMAINS = "{def}:remains"
"""hash: account LF product → settings of what was uninstalled, without secrets. Until erased. Written by all."""
ERASURES = "{def}:erasures"
"""zset: ``Erasure`` as JSON, score = ms when it is looked at next. Until nothing is left. Written by all."""
DRAFTS = "{def}:drafts"
"""zset: installation id, score = ms of its last change. Until it is ordered or deleted. Written by all."""
UPGRADES = "{def}:upgrades"
"""zset: integration id, score = ms when installations behind its newest revision are looked at next. Until all were.
Written by all."""
UPGRADES_AT = "{def}:upgrades-at"
"""hash: integration id → revision LF the last installation looked at. Until all were. Written by workers."""
FREED = "{def}:freed"
"""zset: installation that may follow a newer revision again, or get a step done by a new connector, score = ms when it
is looked at next. Until it was. Written by all."""
PENDING = "{def}:pending"
"""zset: installation id, score = when its event is looked at next. Until it awaits none. Written by all."""
installation = with_id("{def}:n:")
"""string: JSON of ``Installation``. Until it is deleted. Written by all."""
installations_of_account = with_id("{def}:n-acc:")
"""zset: ids of what is installed into an account, scores 0. Until they are deleted. Written by all."""
installations_of_integration = with_id("{def}:n-int:")
"""zset: ids of an integration's installations, scores 0. Until they are deleted. Written by all."""
installations_of_marketplace = with_id("{def}:n-mk:")
"""zset: ids of what was installed through a marketplace, scores 0. Until they are deleted. Written by all."""
outbox = with_id("{def}:outbox:")
"""hash: place → JSON of an effect, written with its transition. Until the queue has it. Written by all."""
bearer = with_id("{def}:bearer:")
"""string: the installation that a one-time token, by its SHA-256, is for. Until 15 min later. Written by workers."""
bearer_taken = with_id("{def}:bearer-taken:")
"""string: a call holds that token. Until the call is judged, or 15 min later. Written by the API."""
