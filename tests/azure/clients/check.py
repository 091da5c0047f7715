#!/usr/bin/env python3
"""Runs Microsoft's own clients against the stand-in, and says what each of them saw.

`make clients` installs them, and runs it:

    build/clients/bin/python tests/azure/clients/check.py target/debug/azure-standin

It starts a stand-in of its own, on a free port, with the sample's tenant and a certificate made for the
purpose. The exit status is 1 if any fails or is missing.
"""

import asyncio
import datetime
import importlib.util
import json
import logging
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import traceback

SAMPLE = pathlib.Path(__file__).resolve().parent.parent / "sample.toml"
CLIENT = "9a3d526c-b3c1-4479-ba74-197b5c5751ae"
SECRET = "sTd8Q~rotord-in-the-stand-in-only-00001"
PAYROLL = "765eb0e3-acb3-475d-9a98-ee6892f081c8"
PAYROLL_CLIENT = "8c3ed8d1-ddd6-4145-a377-2441ecdf3b42"
SCOPE = "https://graph.microsoft.com/.default"


class Standin:
    """A running stand-in."""

    def __init__(self, binary, folder):
        self.folder = folder
        self.ca = str(folder / "ca.pem")
        config = folder / "standin.toml"
        # Without lag, so that what a client does next is what it sees.
        sample = SAMPLE.read_text().split("[behaviour]")[0]
        sample = sample.replace('# certificates = ["rotord.pem"]', 'certificates = ["rotord.pem"]')
        config.write_text(sample)
        self.process = subprocess.Popen(
            [binary, "--config", config, "--ca-file", self.ca, "--ready-file", folder / "ready.json"],
            stdout=subprocess.PIPE,
            text=True,
        )
        # The ready file is there before anything is printed.
        self.process.stdout.readline()
        ready = json.loads((folder / "ready.json").read_text())
        self.base = ready["address"]
        self.tenant = ready["tenant"]

    def stop(self):
        self.process.terminate()
        self.process.wait()


def make_certificate(folder):
    """Writes `rotord.pem` (the certificate) and `rotord-key.pem` (with its key too)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "rotord")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "rotord.pem").write_bytes(public)
    (folder / "rotord-key.pem").write_bytes(private + public)
    return certificate.fingerprint(hashes.SHA1()).hex()


def check_msal(standin, thumbprint):
    import msal

    def login(credential):
        app = msal.ConfidentialClientApplication(
            CLIENT,
            authority=f"{standin.base}/{standin.tenant}",
            client_credential=credential,
            instance_discovery=False,
            verify=standin.ca,
        )
        return app.acquire_token_for_client([SCOPE])

    assert login(SECRET)["token_type"] == "Bearer"
    private = (standin.folder / "rotord-key.pem").read_text()
    public = (standin.folder / "rotord.pem").read_text()
    for certificate in [
        {"private_key": private, "thumbprint": thumbprint},
        {"private_key": private, "public_certificate": public},
    ]:
        answer = login(certificate)
        assert "access_token" in answer, answer
    refused = login("wrong")
    assert refused["error_codes"] == [7000215], refused
    return "secret, certificate (both thumbprints), refusal"


def check_identity(standin, _):
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import CertificateCredential, ClientSecretCredential

    common = {
        "authority": standin.base,
        "disable_instance_discovery": True,
        "connection_verify": standin.ca,
    }
    credential = ClientSecretCredential(standin.tenant, CLIENT, SECRET, **common)
    assert credential.get_token(SCOPE).token
    path = str(standin.folder / "rotord-key.pem")
    credential = CertificateCredential(standin.tenant, CLIENT, path, **common)
    assert credential.get_token(SCOPE).token
    try:
        ClientSecretCredential(standin.tenant, CLIENT, "wrong", **common).get_token(SCOPE)
    except ClientAuthenticationError as error:
        assert "AADSTS7000215" in str(error)
    else:
        raise AssertionError("a wrong secret logged in")
    return "secret, certificate, refusal"


def check_msgraph(standin, _):
    return asyncio.run(graph(standin))


async def graph(standin):
    import httpx
    from azure.identity.aio import ClientSecretCredential
    from kiota_abstractions.api_error import APIError
    from kiota_authentication_azure.azure_identity_authentication_provider import (
        AzureIdentityAuthenticationProvider,
    )
    from msgraph import GraphRequestAdapter, GraphServiceClient
    from msgraph.generated.applications.applications_request_builder import (
        ApplicationsRequestBuilder,
    )
    from msgraph.generated.applications.item.add_password.add_password_post_request_body import (
        AddPasswordPostRequestBody,
    )
    from msgraph.generated.applications.item.remove_password.remove_password_post_request_body import (
        RemovePasswordPostRequestBody,
    )
    from msgraph.generated.models.password_credential import PasswordCredential
    from msgraph_core import GraphClientFactory

    credential = ClientSecretCredential(
        standin.tenant,
        CLIENT,
        SECRET,
        authority=standin.base,
        disable_instance_discovery=True,
        connection_verify=standin.ca,
    )
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=[SCOPE], allowed_hosts=["localhost"]
    )
    http = GraphClientFactory.create_with_default_middleware(
        client=httpx.AsyncClient(verify=standin.ca)
    )
    adapter = GraphRequestAdapter(provider, client=http)
    adapter.base_url = f"{standin.base}/v1.0"
    client = GraphServiceClient(request_adapter=adapter)

    names = set()
    page = await client.applications.get()
    while page:
        names.update(app.display_name for app in page.value)
        link = page.odata_next_link
        page = await client.applications.with_url(link).get() if link else None
    assert {"payroll", "billing"} <= names and len(names) == 255, len(names)

    query = ApplicationsRequestBuilder.ApplicationsRequestBuilderGetQueryParameters(
        filter="startswith(displayName,'pay')", select=["id", "appId"], top=5
    )
    from kiota_abstractions.base_request_configuration import RequestConfiguration

    found = await client.applications.get(RequestConfiguration(query_parameters=query))
    assert [app.id for app in found.value] == [PAYROLL]
    by_key = await client.applications_with_app_id(PAYROLL_CLIENT).get()
    assert by_key.id == PAYROLL

    payroll = client.applications.by_application_id(PAYROLL)
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)
    body = AddPasswordPostRequestBody(
        password_credential=PasswordCredential(display_name="from the SDK", end_date_time=end)
    )
    added = await payroll.add_password.post(body)
    assert added.secret_text.startswith(added.hint)
    listed = (await payroll.get()).password_credentials
    assert added.key_id in [password.key_id for password in listed]
    removal = RemovePasswordPostRequestBody(key_id=added.key_id)
    await payroll.remove_password.post(removal)
    try:
        await payroll.remove_password.post(removal)
    except APIError as error:
        assert error.error.code == "Request_BadRequest", error
        assert str(added.key_id) in error.error.message
    else:
        raise AssertionError("removed twice")
    owners = await payroll.owners.get()
    assert owners.value[0].app_id == CLIENT
    await credential.close()
    return f"{len(names)} applications over pages, filter, alternate key, add, list, remove, refusal, owners"


def check_az(standin, _):
    program = shutil.which("az", path=os.path.dirname(sys.executable)) or shutil.which("az")
    environment = os.environ | {
        "AZURE_CONFIG_DIR": str(standin.folder / "az"),
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
    }

    def az(*arguments):
        done = subprocess.run(
            [program, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise AssertionError(f"az {arguments[0]} {arguments[1]}: {done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    az(
        "cloud", "register", "--name", "standin", "--skip-endpoint-discovery",
        "--endpoint-active-directory", standin.base,
        "--endpoint-resource-manager", standin.base,
        "--endpoint-active-directory-resource-id", "https://management.azure.com",
        "--endpoint-microsoft-graph-resource-id", standin.base,
    )
    az("cloud", "set", "--name", "standin")
    az(
        "login", "--service-principal", "--allow-no-subscriptions",
        "-u", CLIENT, "-p", SECRET, "-t", standin.tenant,
    )
    assert az("ad", "app", "show", "--id", PAYROLL_CLIENT)["id"] == PAYROLL
    found = az("ad", "app", "list", "--filter", "startswith(displayName,'bil')")
    assert [app["displayName"] for app in found] == ["billing"]
    before = az("ad", "app", "credential", "list", "--id", PAYROLL)
    added = az("ad", "app", "credential", "reset", "--id", PAYROLL, "--append", "--years", "1")
    assert added["password"]
    after = az("ad", "app", "credential", "list", "--id", PAYROLL)
    new = [each["keyId"] for each in after if each not in before]
    assert len(new) == 1, after
    az("ad", "app", "credential", "delete", "--id", PAYROLL, "--key-id", new[0])
    assert az("ad", "app", "credential", "list", "--id", PAYROLL) == before
    return "login, show, list with filter, credential reset, list, delete"


CLIENTS = [
    ("msal", "msal", check_msal),
    ("azure-identity", "azure.identity", check_identity),
    ("msgraph-sdk", "msgraph", check_msgraph),
    ("az", "azure.cli", check_az),
]


def installed(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def main():
    # A refusal that is asked for is no news.
    logging.disable(logging.WARNING)
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        thumbprint = make_certificate(folder)
        standin = Standin(sys.argv[1], folder)
        # These win over what a program asks for, so they must not name another bundle.
        os.environ["REQUESTS_CA_BUNDLE"] = os.environ["CURL_CA_BUNDLE"] = standin.ca
        try:
            for name, module, check in CLIENTS:
                if not installed(module):
                    failures += 1
                    print(f"FAIL  {name}: not installed")
                    continue
                try:
                    print(f"ok    {name}: {check(standin, thumbprint)}")
                except Exception:
                    failures += 1
                    print(f"FAIL  {name}")
                    traceback.print_exc()
        finally:
            standin.stop()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
