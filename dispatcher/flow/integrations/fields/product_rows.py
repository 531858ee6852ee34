"""Rows of a product as its users meet it: questions to a buyer, sign-on, steps of an installation."""

from __future__ import annotations

from dispatcher.flow.integrations.fields.kind import Kind
from dispatcher.flow.integrations.fields.records import Field, Record, Records
from dispatcher.flow.integrations.fields.values import Choice, Name, PageAddress, Switch, Text, Texts
from dispatcher.model.installation import InstallStep
from dispatcher.model.integration import Bookmark, OpenIdConnect, OrderFormField

FORM_FIELD_TYPES = ("TEXT", "TEXT_AREA", "NUMBER", "BOOLEAN", "DATE", "EMAIL", "PHONE", "URL")
"""Questions to a buyer; the answers are passed on as they are."""

CLIENT_CREATION_METHODS = ("PER_SUBSCRIPTION", "SHARED")
ORDER_FORM = Records(
    make=OrderFormField,
    most=100,
    plural="order form fields",
    distinct=True,
    fields=(
        Field("name", "name", Name(required=True), says="Name of the field in the order", example="subdomain"),
        Field("label", "label", Text(None, 255), says="Words beside the field"),
        Field(
            "type",
            "type",
            Choice("TEXT", FORM_FIELD_TYPES, or_empty=True),
            says="Kind of answer; TEXT, TEXT_AREA, NUMBER, BOOLEAN, DATE, EMAIL, PHONE or URL, in any case",
            example="TEXT",
        ),
        Field("required", "required", Switch(), says="Has to be filled in"),
    ),
)
OPEN_ID_CONNECT = Record(
    make=OpenIdConnect,
    optional=True,
    fields=(
        Field(
            "clientCreationMethod",
            "client_creation_method",
            Choice("PER_SUBSCRIPTION", CLIENT_CREATION_METHODS, kept=True),
            says="Clients of OpenID Connect; one for each subscription, or one for all",
        ),
        Field("grantTypes", "grant_types", Texts(), says="Grants that may be used"),
        Field("redirectUrls", "redirect_urls", Texts(), says="Pages to which a sign-in may lead back"),
        Field("allowOidcScope", "allow_oidc_scope", Switch(kept=True), says="Allow scopes of OpenID Connect"),
        Field("allowUserScopes", "allow_user_scopes", Switch(kept=True), says="Allow scopes of users"),
        Field("allowRoleScopes", "allow_role_scopes", Switch(kept=True), says="Allow scopes of roles"),
        Field(
            "initiateLoginUrl",
            "initiate_login_url",
            Kind(),
            says="Page that begins a sign-in",
            example="https://host.example/login",
        ),
        Field("logoutUrl", "logout_url", Kind(), says="Page that signs out", example="https://host.example/logout"),
    ),
)
INSTALL_TEMPLATE = Records(
    make=InstallStep,
    most=50,
    plural="steps",
    fields=(
        Field("name", "name", Name(required=True, most=200), says="Name of the step", example="Connect the shop"),
        Field("description", "description", Text(None, 4096), says="Text about the step, for whoever installs"),
        Field("imageURL", "image_url", PageAddress(), says="Picture of the step"),
        Field("installURL", "install_url", PageAddress(), says="Page where the step is done"),
        Field(
            "installerFunction", "installer_function", Name(most=200), says="Function of the host that does the step"
        ),
        Field(
            "uninstallerFunction",
            "uninstaller_function",
            Name(most=200),
            says="Function of the host that undoes the step",
        ),
        Field("connection", "connection", Name(), says="Name of the connector that does the step"),
    ),
)
BOOKMARK = Record(
    make=Bookmark,
    optional=True,
    fields=(
        Field(
            "landingUrl",
            "landing_url",
            Kind(),
            says="Page that the bookmark opens",
            example="https://host.example/start",
        ),
    ),
)
