"""An object of the archive is whole, or is not there; what object storage refuses is told with what to do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from dispatcher.errors import ArchiveUnavailable, ConfigurationError, StoreDamaged
from dispatcher.policy.bucket import Bucket
from dispatcher.store.archive.format.entry import Segment, new_name
from dispatcher.store.archive.format.segment import build
from dispatcher.store.archive.reading.reader import SegmentGone, SegmentReader
from dispatcher.store.archive.reading.search import FIRST_AHEAD, Wanted, search
from dispatcher.store.archive.storage import objects
from dispatcher.store.archive.storage.objects import ObjectStorage
from dispatcher.store.queue.views.sifting import ArchiveSieve
from tests.object_storage import Fault, ObjectServer, object_server
from tests.unit.store.archive.samples import archived

EVENTS = [archived(number) for number in range(5)]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectServer]:
    monkeypatch.setattr(objects, "_FIRST_WAIT", timedelta(milliseconds=2))
    with object_server(monkeypatch) as made:
        yield made


@pytest.fixture
def storage(server: ObjectServer) -> ObjectStorage:
    return ObjectStorage(server.bucket())


def written(storage: ObjectStorage) -> Segment:
    content, entry = build(EVENTS)
    segment = Segment(3, new_name(entry), entry)
    storage.write(segment.key, content)
    return segment


def test_a_segment_is_one_object_and_is_read_by_its_parts(storage: ObjectStorage, server: ObjectServer) -> None:
    segment, reader = written(storage), SegmentReader(storage)
    assert server.asked == [("PUT", f"main/{segment.key}")]
    assert reader.event(segment, EVENTS[3].id) == EVENTS[3]
    assert reader.events(segment) == EVENTS
    (age,) = storage.ages_s(3, 0.0).items()
    assert (age[0], age[1] < 0) == (segment.name, True)
    assert storage.ages_s(30, 0.0) == {}
    storage.delete(segment.key)
    storage.delete(segment.key)
    with pytest.raises(SegmentGone):
        SegmentReader(storage).event(segment, EVENTS[0].id)


def test_a_bucket_keeps_the_id_that_it_was_given_for_each_prefix(storage: ObjectStorage, server: ObjectServer) -> None:
    assert storage.identity() is None
    storage.identify("one")
    assert storage.identity() == "one"
    assert ObjectStorage(server.bucket("another")).identity() is None
    assert ObjectStorage(server.bucket("")).identity() is None


@pytest.mark.parametrize("kept", [0, 10, -1])
def test_a_cut_object_is_told_and_never_served(storage: ObjectStorage, server: ObjectServer, kept: int) -> None:
    segment = written(storage)
    name = server.named(segment.key)
    server.objects[name] = server.objects[name][:kept] if kept >= 0 else server.objects[name] + b"x"
    with pytest.raises(StoreDamaged, match="cut or altered"):
        SegmentReader(storage).events(segment)
    if kept >= 0:
        with pytest.raises(StoreDamaged, match="cut or altered"):
            SegmentReader(storage).event(segment, EVENTS[0].id)


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (403, "AccessDenied", "access is denied: allow"),
        (403, "", "access is denied: allow"),
        (403, "InvalidAccessKeyId", "does not know AWS_ACCESS_KEY_ID"),
        (403, "SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY is not that"),
        (403, "RequestTimeTooSkewed", r"clocks .* differ by minutes"),
        (400, "AuthorizationHeaderMalformed", "correct DISPATCHER_ARCHIVE_REGION"),
        (301, "PermanentRedirect", "correct DISPATCHER_ARCHIVE_REGION"),
        (404, "NoSuchBucket", "there is no bucket history: make it"),
        (503, "SlowDown", "asked less often"),
        (507, "XMinioStorageFull", "it is full"),
        (418, "Teapot", "it answers Teapot"),
        (0, "", "it does not answer"),
    ],
)
def test_a_refusal_says_what_to_do_and_nothing_secret(
    storage: ObjectStorage, server: ObjectServer, status: int, code: str, told: str
) -> None:
    server.fault = lambda *_: Fault(status, code)
    for work in (storage.identity, lambda: storage.write("3/x", b"1"), storage.rehearse, lambda: storage.ages_s(3, 0)):
        with pytest.raises(OSError, match=told) as caught:
            work()
        assert "secret-of-the-tests" not in str(caught.value)
        assert not isinstance(caught.value, FileNotFoundError)
    assert server.objects == {}
    assert "secret-of-the-tests" not in repr(vars(storage))


def segments_of_one_event(storage: ObjectStorage, count: int) -> list[Segment]:
    made = []
    for number in range(count):
        content, entry = build([archived(number)])
        made.append(Segment(0, new_name(entry), entry))
        storage.write(made[-1].key, content)
    return made


def test_a_search_reads_several_footers_at_a_time(storage: ObjectStorage, server: ObjectServer) -> None:
    segments = segments_of_one_event(storage, FIRST_AHEAD)
    together = threading.Barrier(FIRST_AHEAD)
    waited = set[str]()

    def held(method: str, name: str) -> None:
        """Answers the first look into each only when all of them are asked for."""
        if method == "GET" and name not in waited:
            waited.add(name)
            together.wait(30)

    server.fault = held
    found = search(SegmentReader(storage), segments, Wanted(ArchiveSieve(()), 0, limit=100, most_bytes=10**6))
    assert [event.id for _, event in found.events] == [archived(n).id for n in reversed(range(FIRST_AHEAD))]
    assert not together.broken


def test_a_footer_that_was_read_ahead_and_is_cut_is_read_anew(storage: ObjectStorage, server: ObjectServer) -> None:
    (segment,), reader = segments_of_one_event(storage, 1), SegmentReader(storage)
    name = server.named(segment.key)
    whole = server.objects[name]
    server.objects[name] = whole[:-40] + b"x" * 40
    reader.read_ahead([segment])
    with pytest.raises(StoreDamaged, match="cut or altered"):
        reader.footer(segment)
    server.objects[name] = whole
    assert reader.event(segment, archived(0).id) == archived(0)
    reader.read_ahead([segment])
    assert server.asked.count(("GET", name)) == 3, "one ahead, one footer, one block"


def test_what_cannot_be_read_ahead_is_told_by_whoever_opens_it(storage: ObjectStorage, server: ObjectServer) -> None:
    (segment,), reader = segments_of_one_event(storage, 1), SegmentReader(storage)
    server.fault = lambda *_: Fault(403, "AccessDenied")
    reader.read_ahead([segment])
    with pytest.raises(ArchiveUnavailable, match="access is denied"):
        reader.footer(segment)


def test_a_server_that_is_no_object_storage_is_told(storage: ObjectStorage, server: ObjectServer) -> None:
    server.fault = lambda *_: Fault(404)
    for work in (lambda: storage.write("3/x", b"1"), storage.rehearse, lambda: storage.ages_s(3, 0)):
        with pytest.raises(OSError, match=r"is DISPATCHER_ARCHIVE_ENDPOINT object storage, .* bucket history\?"):
            work()


def test_what_is_throttled_is_tried_again(storage: ObjectStorage, server: ObjectServer) -> None:
    server.fault = lambda *_: Fault(503, "SlowDown") if len(server.asked) < 3 else None
    storage.write("3/x", b"content")
    assert (len(server.asked), server.objects) == (3, {"main/3/x": b"content"})


def test_a_server_that_never_answers_is_given_up(server: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "ONCE_WITHIN", timedelta(milliseconds=100))
    monkeypatch.setattr(objects, "AGAIN_WITHIN", timedelta(milliseconds=50))
    storage = ObjectStorage(server.bucket())
    server.answering.clear()
    for work in (storage.identity, lambda: storage.write("3/x", b"1")):
        with pytest.raises(OSError, match="it does not answer: is it up"):
            work()


def test_an_environment_that_is_not_understood_is_told(monkeypatch: pytest.MonkeyPatch, server: ObjectServer) -> None:
    bucket = Bucket("history")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.port}")
    ObjectStorage(bucket).rehearse()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "none")
    with pytest.raises(OSError, match="AWS_ENDPOINT_URL is no address"):
        ObjectStorage(bucket).identity()
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "perhaps")
    with pytest.raises(ConfigurationError, match="begins with AWS_"):
        ObjectStorage(bucket)


@pytest.mark.parametrize(
    ("missing", "given"),
    [("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")],
)
def test_half_a_pair_of_credentials_is_told(
    monkeypatch: pytest.MonkeyPatch, server: ObjectServer, missing: str, given: str
) -> None:
    monkeypatch.delenv(missing)
    with pytest.raises(ConfigurationError, match=f"^{given} is set, and {missing} is not"):
        ObjectStorage(server.bucket())


@pytest.mark.parametrize("status", [403, 404])
def test_an_environment_without_credentials_is_told(
    monkeypatch: pytest.MonkeyPatch, server: ObjectServer, status: int
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"http://127.0.0.1:{server.port}")
    server.fault = lambda *_: Fault(status)
    with pytest.raises(OSError, match="no credentials were found in the environment: set AWS_ACCESS_KEY_ID"):
        ObjectStorage(server.bucket()).rehearse()


def test_a_rehearsal_leaves_nothing(storage: ObjectStorage, server: ObjectServer) -> None:
    storage.rehearse()
    assert server.objects == {}
    assert {method for method, _ in server.asked} == {"PUT", "GET", "DELETE"}


def test_a_bucket_may_be_in_the_name_of_the_host() -> None:
    spelled = objects._endpoint_of(Bucket("history", "", "https://s3.example:9000/", path_style=False))
    assert spelled == "https://history.s3.example:9000"
