"""A store that is spread over partitions, and the partition of each integration in it."""

from __future__ import annotations

from dispatcher.ids import partition_of_lane
from dispatcher.store.redis.scripts import Client


class Partitioned:
    """Client and number of partitions, which all views of the queue share."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._partitions = partitions

    @property
    def partitions(self) -> int:
        return self._partitions

    def partition_of(self, integration_id: str) -> int:
        return partition_of_lane(integration_id, self._partitions)
