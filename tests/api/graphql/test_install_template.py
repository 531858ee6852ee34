"""The steps that an installation begins with, as publishers write them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.graphql.conftest import Graph

STEPS: list[dict[str, Any]] = [
    {
        "name": "NetSuite Connection",
        "description": "Select a NetSuite connection or create a new one.",
        "imageURL": "/images/company-logos/netsuite.png",
        "installerFunction": "verifyNetSuiteConnection",
        "uninstallerFunction": "deleteNetSuiteConnection",
        "connection": "NetSuite",
    },
    {"name": "Integrator Bundle", "installURL": "", "imageURL": "https://example.com/bundle.png"},
]
WANTED = "installTemplate { name description imageURL installURL installerFunction uninstallerFunction connection }"
CREATE = f"""mutation($steps: [InstallStepInput!]) {{ createProductIntegration(input: {{installTemplate: $steps}}) {{
  productIntegration {{ id {WANTED} }} userErrors {{ code path }} }} }}"""
UPDATE = """mutation($id: ID!, $steps: [InstallStepInput!]) {
  updateProductIntegration(input: {id: $id, installTemplate: $steps}) { userErrors { code path } } }"""
EMPTY = dict.fromkeys(
    ("description", "imageURL", "installURL", "installerFunction", "uninstallerFunction", "connection")
)


async def test_steps_are_saved_in_order_published_and_cleared(graph: Graph) -> None:
    made = (await graph.data(CREATE, steps=STEPS))["productIntegration"]
    saved = [EMPTY | step for step in STEPS]
    assert made["installTemplate"] == saved
    assert (await graph.change("publishProductIntegration", f'integrationId: "{made["id"]}"'))["userErrors"] == []
    assert (await graph.data(UPDATE, id=made["id"], steps=None))["userErrors"] == []
    shown = await graph.shown(made["id"], f"working {{ {WANTED} }} published {{ {WANTED} }}")
    assert shown == {"working": {"installTemplate": []}, "published": {"installTemplate": saved}}


@pytest.mark.parametrize(
    ("steps", "code", "path"),
    [
        ([{"name": "s"}] * 51, "limit_reached", ["installTemplate"]),
        ([{"name": " "}], "invalid_text", ["installTemplate", "0", "name"]),
        ([{"name": "n" * 201}], "invalid_text", ["installTemplate", "0", "name"]),
        ([{"name": "n", "description": "d" * 4097}], "too_long", ["installTemplate", "0", "description"]),
        ([{"name": "n", "imageURL": "javascript:alert(1)"}], "invalid_url", ["installTemplate", "0", "imageURL"]),
        ([{"name": "n", "installURL": "//evil.example"}], "invalid_url", ["installTemplate", "0", "installURL"]),
        ([{"name": "n", "installURL": "/" + "a" * 2048}], "invalid_url", ["installTemplate", "0", "installURL"]),
        ([{"name": "n", "installerFunction": "a\nb"}], "invalid_text", ["installTemplate", "0", "installerFunction"]),
    ],
)
async def test_a_step_that_cannot_work_is_refused_by_field(
    graph: Graph, steps: list[dict[str, Any]], code: str, path: list[str]
) -> None:
    payload = await graph.data(CREATE, steps=steps)
    assert payload["userErrors"] == [{"code": code, "path": ["input", *path]}]
    assert payload["productIntegration"] is None


async def test_suspended_urls_are_shown_with_the_types_that_go_there(graph: Graph) -> None:
    gone, other = "https://example.com/gone", "https://example.com/a"
    own_id = (await graph.created(f'createUrl: "{gone}", cancelUrl: "{gone}", upgradeUrl: "{other}"'))["id"]
    wanted = "suspendedUrls { eventType url since }"
    assert (await graph.shown(own_id, wanted))["suspendedUrls"] == []
    await graph.api.services.queue.suspend_url(own_id, gone)
    await graph.api.services.queue.suspend_url(own_id, "https://example.com/long-replaced")
    found = (await graph.shown(own_id, wanted))["suspendedUrls"]
    assert sorted((one["url"], one["eventType"] or "") for one in found) == [
        (gone, "SUBSCRIPTION_CANCEL"),
        (gone, "SUBSCRIPTION_ORDER"),
        ("https://example.com/long-replaced", ""),
    ]
    assert all(one["since"].endswith("Z") for one in found)
    await graph.api.services.queue.resume(own_id)
    assert (await graph.shown(own_id, wanted))["suspendedUrls"] == []
