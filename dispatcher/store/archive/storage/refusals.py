"""Tells what object storage refused, and what to do about it. Nothing of a request is repeated. Pure."""

from __future__ import annotations

import re

from dispatcher.policy.bucket import Bucket

_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_STATUS = re.compile(r"status code: ([1-5][0-9]{2})\b")
_REGION = "it is in another region: correct DISPATCHER_ARCHIVE_REGION, or AWS_REGION"
_CREDENTIALS = (
    "no credentials were found in the environment: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "or give this machine a role"
)
_ROLE = re.compile(r"/latest/(?:api/token|meta-data)\b")
"""Addresses that are asked for the machine's role, where the environment has no credentials."""
_DENIED = "access is denied: allow these credentials to get, put, delete and list what is below its prefix"
_SLOWER = "it asks to be asked less often; workers try again in some minutes"
_FULL = "it is full: make room there, or raise its quota"
_SILENT = "it does not answer: is it up, and is DISPATCHER_ARCHIVE_ENDPOINT its address?"
_EXPIRED = "AWS_SESSION_EXPIRED has expired, or is not theirs"

_SAID = {
    "NoSuchBucket": "there is no bucket {name}: make it, or correct DISPATCHER_ARCHIVE_URL",
    "InvalidBucketName": "{name} is no name of a bucket there: correct DISPATCHER_ARCHIVE_URL",
    "AccessDenied": _DENIED,
    "AllAccessDisabled": _DENIED,
    "403": _DENIED,
    "401": _DENIED,
    "404": "it answers 404: is DISPATCHER_ARCHIVE_ENDPOINT object storage, and is there a bucket {name}?",
    "InvalidAccessKeyId": "it does not know AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY is not that of AWS_ACCESS_KEY_ID",
    "ExpiredToken": _EXPIRED,
    "InvalidToken": _EXPIRED,
    "RequestTimeTooSkewed": "the clocks of this machine and of the server differ by minutes: set them right (NTP)",
    "AuthorizationHeaderMalformed": _REGION,
    "PermanentRedirect": _REGION,
    "301": _REGION,
    "307": _REGION,
    "SlowDown": _SLOWER,
    "TooManyRequests": _SLOWER,
    "RequestLimitExceeded": _SLOWER,
    "429": _SLOWER,
    "QuotaExceeded": _FULL,
    "XMinioStorageFull": _FULL,
    "507": _FULL,
}
"""By codes of S3 and of servers that speak it, and by status codes."""
_WRITTEN = (
    ("certificate", "its certificate is not trusted: set SSL_CERT_FILE to the file of its CA"),
    ("configured region", _REGION),
    ("credential", _CREDENTIALS),
    ("metadata", _CREDENTIALS),
    ("timed out", _SILENT),
    ("error sending request", _SILENT),
    ("connection", _SILENT),
)
"""By words in what the library says, where the server said nothing."""


class BeyondTheEnd(OSError):
    """The object has no byte there."""


def refusal_of(error: Exception, bucket: Bucket) -> OSError:
    """The library's error as it is raised here: ``FileNotFoundError`` for an object that is not there."""
    said = str(error).partition("\n\nDebug source")[0]
    if _ROLE.search(said) and not _CODE.search(said):
        return OSError(_CREDENTIALS)
    found = _CODE.search(said) or _STATUS.search(said)
    answer = found[1] if found else ("404" if isinstance(error, FileNotFoundError) else "")
    if answer:
        kind = _KINDS.get(answer, OSError)
        return kind(_SAID.get(answer, f"it answers {answer}").format(name=bucket.name))
    lowered = str(error).lower()
    return OSError(next((told for words, told in _WRITTEN if words in lowered), f"it failed: {said[:200]}"))


_KINDS: dict[str, type[OSError]] = {
    "NoSuchKey": FileNotFoundError,
    "404": FileNotFoundError,
    "InvalidRange": BeyondTheEnd,
    "416": BeyondTheEnd,
}
