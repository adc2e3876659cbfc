"""Plays the login of Vault's AWS auth method and the STS behind it, as both are documented.

    vault_aws_login.py PORT SETTINGS

SETTINGS is JSON: access_key, secret_key, session_token and arn of the one caller that STS knows;
region (whose endpoint is asked; empty: the caller's, as use_sts_region_from_client does), server_id,
roles (name to ARNs), now (seconds since 1970), sts (whether STS is reached).

The signature is computed anew by botocore, which shares nothing with the SDK that made it.
Answers in Vault's words. POST /v1/auth/token/revoke-self counts; GET /revoked tells how many.
"""

import base64
import binascii
import calendar
import hashlib
import hmac
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SERVER_ID = "x-vault-aws-iam-server-id"
# What Vault passes on to STS of all that begins with X-Amz-.
ALLOWED = {"x-amz-algorithm", "x-amz-content-sha256", "x-amz-credential", "x-amz-date",
           "x-amz-security-token", "x-amz-signature", "x-amz-signedheaders", "x-amz-user-agent"}

settings = json.loads(sys.argv[2])
revoked = []


class Refused(Exception):
    pass


def decoded(body, field):
    try:
        return base64.b64decode(body[field], validate=True).decode()
    except KeyError:
        raise Refused("missing " + field) from None
    except binascii.Error:
        raise Refused("failed to base64 decode " + field) from None


def login(body):
    """The role of a caller; Refused in the words of Vault's path_login.go."""
    if body.get("iam_http_request_method") != "POST":
        raise Refused("invalid iam_http_request_method; currently only 'POST' is supported")
    url = decoded(body, "iam_request_url")
    text = decoded(body, "iam_request_body")
    headers = {}
    for name, values in json.loads(decoded(body, "iam_request_headers")).items():
        if not isinstance(values, list) or len(values) != 1:
            raise Refused("invalid header " + name)
        headers[name.lower()] = values[0]
    if parse_qs(text) != {"Action": ["GetCallerIdentity"], "Version": ["2011-06-15"]}:
        raise Refused("invalid parameters in iam_request_body")
    for name in headers:
        if name.startswith("x-amz-") and name not in ALLOWED:
            raise Refused("invalid request header: " + name)
    claims = dict(part.strip().split("=", 1) for part in
                  headers["authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(","))
    signed = claims["SignedHeaders"].split(";")
    if settings["server_id"]:
        if SERVER_ID not in headers:
            raise Refused("error validating X-Vault-AWS-IAM-Server-ID header: missing header")
        if headers[SERVER_ID] != settings["server_id"]:
            raise Refused("error validating X-Vault-AWS-IAM-Server-ID header: expected "
                          f"{settings['server_id']} but got {headers[SERVER_ID]}")
        if SERVER_ID not in signed:
            raise Refused("error validating X-Vault-AWS-IAM-Server-ID header: "
                          "vault header wasn't signed")
    sts(url, text, headers, claims, signed)
    role = body.get("role", "")
    if role not in settings["roles"]:
        raise Refused(f"entry for role {role} not found")
    if settings["arn"] not in settings["roles"][role]:
        raise Refused(f"IAM Principal {settings['arn']!r} does not belong to the role {role!r}")
    return role


def sts(url, text, headers, claims, signed):
    """What STS of one region says to the request that Vault passes on."""
    if not settings["sts"]:
        raise Refused("error making upstream request: error making request: dial tcp: i/o timeout")
    access_key, date, region, service, end = claims["Credential"].split("/")
    asked = settings["region"] or region
    parts = urlsplit(url)
    if (parts.scheme, parts.netloc, parts.path or "/") != ("https", f"sts.{asked}.amazonaws.com", "/") \
            or (region, service, end) != (asked, "sts", "aws4_request"):
        sts_refuses("SignatureDoesNotMatch", f"Credential should be scoped to a valid region, not {region}.")
    stamp = headers["x-amz-date"]
    taken = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    if abs(settings["now"] - taken) > 15 * 60:
        sts_refuses("SignatureDoesNotMatch",
                    f"Signature {'expired' if taken < settings['now'] else 'not yet current'}: {stamp}")
    if headers.get("x-amz-security-token", "") != settings["session_token"] or \
            access_key != settings["access_key"] or not stamp.startswith(date):
        sts_refuses("InvalidClientTokenId", "The security token included in the request is invalid.")
    body_hash = hashlib.sha256(text.encode()).hexdigest()
    if headers.get("x-amz-content-sha256", body_hash) != body_hash:
        sts_refuses("SignatureDoesNotMatch", "The body isn't what was signed.")
    if not {"host", "x-amz-date", "content-type"} <= set(signed):
        sts_refuses("SignatureDoesNotMatch", "A header that has to be signed isn't.")
    request = AWSRequest(method="POST", url=url, data=text,
                         headers={name: headers[name] for name in signed if name != "host"})
    request.context["timestamp"] = stamp
    auth = SigV4Auth(Credentials(settings["access_key"], settings["secret_key"],
                                 settings["session_token"]), "sts", region)
    expected = auth.signature(
        auth.string_to_sign(request, auth.canonical_request(request)), request)
    if not hmac.compare_digest(expected, claims["Signature"]):
        sts_refuses("SignatureDoesNotMatch", "The request signature we calculated does not match.")


def sts_refuses(code, message):
    raise Refused("error making upstream request: received error code 403 from STS: "
                  f"<Error><Code>{code}</Code><Message>{message}</Message></Error>")


class Handler(BaseHTTPRequestHandler):
    # As Vault does. Java's client takes a connection of 1.0 for open until it hears that it is closed.
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200, {"revoked": revoked})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/v1/auth/token/revoke-self":
            revoked.append(self.headers["X-Vault-Token"])
            self.answer(204, None)
        elif self.path == f"/v1/auth/{settings['mount']}/login":
            try:
                role = login(json.loads(body))
            except Refused as refused:
                self.answer(400, {"errors": [str(refused)]})
                return
            self.answer(200, {"auth": {
                "client_token": "hvs.of-" + role, "accessor": "a", "policies": [role],
                "lease_duration": 1200, "renewable": True}})
        else:
            self.answer(404, {"errors": []})

    def answer(self, status, body):
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
