"""The API against its own document, by a tool that knows nothing of it: no server error, no undocumented answer."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.api.conftest import Api
from tests.programs import ran

PATIENCE_S = 115.0

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
)


async def test_fuzzing_from_the_document_finds_nothing(api: Api, tmp_path: Path) -> None:
    tool = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    assert tool is not None
    base = str(api.http.make_url("/"))
    command = [
        *(tool, "run", f"{base}openapi.json", "--url", base, "-H", f"Authorization: {api.headers['Authorization']}"),
        *("--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing", "--max-examples", "10", "--seed", "1"),
        *("--exclude-path", "/v1/events/stream", "--exclude-path", "/graphql", "--request-timeout", "5"),
    ]
    done = await ran(command, tmp_path, within_s=PATIENCE_S)
    assert done.status == 0, done.said[-12000:]
