#!/usr/bin/python3
"""What a node of a made cluster does at boot, and what watches it while it runs.

    vault_dr_node.py boot     reads who it is, looks for quarantine marks, writes the server's
                              configuration and starts its unit; again changes nothing
    vault_dr_node.py watch    looks for quarantine marks in every slot, for ever, and stops the
                              unit when there is one

All that a node is told stands in one SSM parameter, whose name is the instance's tag
"vault-dr:node". docs/cluster-boot.md says what it holds, and what follows from a mark.

Exit codes of boot; systemd tries again after each but 11:

    0   the unit runs
    2   wrong arguments
    10  the tag, the parameter or the environment is wrong; all mistakes are told at once
    11  a quarantine mark stands: the server isn't started
    12  no mark can be read, and the node fences itself then: the server isn't started
    13  the instance metadata or AWS doesn't answer, or refuses
    14  the TLS secret is missing or wrong, or its certificate doesn't fit
    15  files can't be written, or the unit doesn't start

Environment, which production leaves as it is:

    AWS_EC2_METADATA_SERVICE_ENDPOINT   http://169.254.169.254
    AWS_ENDPOINT_URL                    AWS's own
    VAULT_DR_DIRECTORY                  /etc/vault-dr: server.json, node.json, tls/, licence
    VAULT_DR_METRICS_ADDRESS            127.0.0.1:8202, for the agent on the same machine; one port
                                        above is OpenBao's door for who holds the recovery keys
    VAULT_DR_SYSTEMCTL                  systemctl
    VAULT_DR_SLOT_SECONDS               10

One line of JSON per event goes to standard output. Nothing of a secret is in it.
"""

import argparse
import concurrent.futures
import datetime
import ipaddress
import json
import os
import pathlib
import pwd
import grp
import re
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from enum import Enum
from typing import Optional

import boto3
import botocore.config
import botocore.exceptions

WRONG_SETTINGS = 10
QUARANTINED = 11
NOTHING_READABLE = 12
AWS_AWAY = 13
WRONG_TLS = 14
NOT_STARTED = 15

TAG = "vault-dr:node"
RUNBOOK = "docs/runbooks/node-quarantined.md"

# Two thirds of the window of twelve slots: stopped before the others may promote.
SELF_FENCE_SLOTS = 8

# What goes on is said again once in so many slots.
REMINDER_SLOTS = 6

# A reading has to end within its slot, whatever the network does.
MARK_CONNECT_SECONDS = 2
MARK_READ_SECONDS = 2
MARK_LIMIT_SECONDS = 6

CALL = botocore.config.Config(
    connect_timeout=3,
    read_timeout=5,
    retries={"total_max_attempts": 3, "mode": "standard"},
)
GLANCE = botocore.config.Config(
    connect_timeout=MARK_CONNECT_SECONDS,
    read_timeout=MARK_READ_SECONDS,
    retries={"total_max_attempts": 1, "mode": "standard"},
)
AWS_FAILURES = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)

# What every line says of the node, as soon as it is known.
CONTEXT = {}


class Stop(Exception):
    """Why it goes no further: an exit code, the event's name, and what to do."""

    def __init__(self, code, event, message):
        super().__init__(message)
        self.code = code
        self.event = event


def say(level, event, message, **keys):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = {"time": now, "level": level, "event": event, "message": message}
    print(json.dumps({**line, **CONTEXT, **keys}), flush=True)


# ---- What the node is told -----------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where a quarantine mark may stand."""

    region: str
    bucket: str
    key: str

    def __str__(self):
        return f"s3://{self.bucket}/{self.key} ({self.region})"


@dataclass(frozen=True)
class Plugin:
    """The program of a seal that the server has not built in, and its hash."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Seal:
    """The block's type, its options, and its plugin where it needs one."""

    type: str
    options: dict
    plugin: Optional[Plugin]


@dataclass(frozen=True)
class Node:
    """The parameter, checked."""

    pair: str
    side: str
    region: str
    edition: str
    unit: str
    server_name: str
    api_port: int
    cluster_port: int
    data_directory: str
    audit_file: str
    tls_secret: str
    seal: Seal
    join_tag: Optional[tuple]
    join_addresses: tuple
    quarantine: tuple
    self_fence: bool
    request_seconds: int
    licence_secret: Optional[str]
    pages: Optional[str]


class Fields:
    """An object of the parameter: takes its fields, and notes every mistake, not the first."""

    def __init__(self, value, path, mistakes):
        self.value = value if isinstance(value, dict) else {}
        self.path = path
        self.mistakes = mistakes
        self.known = set()
        if not isinstance(value, dict):
            self.wrong(path or "the parameter", value, "an object")

    def wrong(self, where, read, expected):
        shown = "nothing" if read is None else json.dumps(read)
        shown = shown if len(shown) <= 80 else shown[:77] + "..."
        self.mistakes.append(f"{where}: read {shown}, expected {expected}")

    def take(self, name, good, expected, optional=False):
        self.known.add(name)
        read = self.value.get(name)
        if read is None and optional:
            return None
        if read is None or not good(read):
            self.wrong(self.path + name, read, expected)
            return None
        return read

    def text(self, name, pattern, expected, optional=False):
        def good(read):
            return isinstance(read, str) and re.fullmatch(pattern, read) is not None

        return self.take(name, good, expected, optional)

    def word(self, name, optional=False):
        return self.text(name, r"[\w+=,.@/:-]+", "a name without spaces", optional)

    def file(self, name):
        return self.text(name, r"/[^\s\"]+[^/\s\"]", "an absolute path")

    def whole(self, name, low, high, expected):
        def good(read):
            return type(read) is int and low <= read <= high

        return self.take(name, good, expected)

    def port(self, name):
        return self.whole(name, 1, 65535, "a port, 1 to 65535")

    def flag(self, name):
        return self.take(name, lambda read: isinstance(read, bool), "true or false")

    def choice(self, name, *words):
        def good(read):
            return isinstance(read, str) and read.lower() in words

        read = self.take(name, good, " or ".join(words))
        return None if read is None else read.lower()

    def several(self, name, expected):
        return self.take(name, lambda read: isinstance(read, list), expected) or []

    def inner(self, name, optional=False):
        self.known.add(name)
        if optional and self.value.get(name) is None:
            return None
        return Fields(self.value.get(name), f"{self.path}{name}.", self.mistakes)

    def unknown(self):
        return sorted(self.path + name for name in set(self.value) - self.known)


def node_of(text):
    """What the parameter's text says: the node, or all of its mistakes; and fields it doesn't know.

    A field that it doesn't know is no mistake, because a stack may be newer than an image.
    """
    mistakes = []
    try:
        top = Fields(json.loads(text), "", mistakes)
    except ValueError as e:
        return None, [f"it is no JSON ({e})"], []
    edition = top.choice("edition", "openbao", "vault")
    seal = seal_of(top.inner("seal"), edition)
    join = top.inner("join")
    by_tag = "tagKey" in join.value or "tagValue" in join.value
    if by_tag == ("addresses" in join.value):
        join.wrong("join", join.value, 'either "tagKey" and "tagValue" or "addresses"')
    tag = (join.word("tagKey"), join.word("tagValue")) if by_tag else None
    addresses = () if by_tag else tuple(addresses_of(join))
    places = []
    for n, one in enumerate(top.several("quarantine", "a list, empty where no marks are put")):
        place = Fields(one, f"quarantine[{n}].", mistakes)
        key = place.text("key", r"[\w./-]*[\w.-]", "an object's key, such as quarantine/home")
        places.append(Place(place.word("region"), place.word("bucket"), key))
    licence = top.word("licenceSecret", optional=True)
    if licence and edition == "openbao":
        top.wrong("licenceSecret", licence, "none, since OpenBao knows no licence")
    fences = top.flag("selfFence")
    if fences and not places:
        top.wrong("selfFence", True, "false where quarantine is empty: it would read nothing")
    node = Node(
        pair=top.word("pair"),
        side=top.choice("side", "home", "dr"),
        region=top.word("region"),
        edition=edition,
        unit=top.text("unit", r"[\w@.-]+", "the name of a systemd unit"),
        server_name=top.text("serverName", r"[A-Za-z0-9.-]+", "a host name"),
        api_port=top.port("apiPort"),
        cluster_port=top.port("clusterPort"),
        data_directory=top.file("dataDirectory"),
        audit_file=top.file("auditFile"),
        tls_secret=top.word("tlsSecret"),
        seal=seal,
        join_tag=tag,
        join_addresses=addresses,
        quarantine=tuple(places),
        self_fence=fences,
        request_seconds=top.whole("readTimeoutSeconds", 30, 86400, "seconds, 30 to 86400"),
        licence_secret=licence,
        pages=top.text("pages", r"arn:[^:\s]+:sns:[^:\s]+:\d+:\S+", "a topic's ARN", optional=True),
    )
    if node.api_port is not None and node.api_port == node.cluster_port:
        top.wrong("clusterPort", node.cluster_port, "another port than apiPort")
    unknown = top.unknown() + join.unknown()
    return (None if mistakes else node), mistakes, unknown


def seal_of(fields, edition):
    kind = fields.choice("type", "awskms", "static")
    plugin = None
    options = {}
    if kind == "awskms":
        options = {"region": fields.word("region"), "kms_key_id": fields.word("key")}
        inner = fields.inner("plugin", optional=True)
        if inner is not None:
            sha256 = inner.text("sha256", r"[0-9a-f]{64}", "64 hexadecimal digits")
            plugin = Plugin(inner.file("path"), sha256)
            if edition == "vault":
                inner.wrong("seal.plugin", inner.value, "none, since Vault has awskms built in")
    if kind == "static":
        # The key's name is stored beside what it sealed, so it is the same on all nodes.
        options = {"current_key_id": "k1", "current_key": f"file://{fields.file('file')}"}
        if edition == "vault":
            fields.wrong("seal.type", kind, "awskms, since Vault has no static seal")
    return Seal(kind or "", options, plugin)


def addresses_of(join):
    for n, read in enumerate(join.several("addresses", "a list of https addresses")):
        try:
            parts = urllib.parse.urlsplit(read if isinstance(read, str) else "")
            good = parts.scheme == "https" and parts.hostname and parts.port
        except ValueError:
            good = False
        if not good or parts.path.strip("/"):
            join.wrong(f"join.addresses[{n}]", read, "https://HOST:PORT")
            continue
        yield f"https://{parts.netloc}"


def path_of(name, default):
    return pathlib.Path(os.environ.get(name) or default)


def directory():
    return path_of("VAULT_DR_DIRECTORY", "/etc/vault-dr")


def slot_seconds():
    read = os.environ.get("VAULT_DR_SLOT_SECONDS") or "10"
    try:
        seconds = float(read)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= 60:
        raise Stop(
            WRONG_SETTINGS,
            "wrong-settings",
            f'VAULT_DR_SLOT_SECONDS: read "{read}", expected seconds, above 0 and up to 60;'
            " take it out of the unit's environment for the default",
        )
    return seconds


# ---- Who the node is -----------------------------------------------------------------------


@dataclass(frozen=True)
class Instance:
    """What the instance metadata says."""

    id: str
    address: str
    region: str
    zone: str
    parameter: str


def instance_of_metadata():
    """Asks the metadata service, version 2."""
    endpoint = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or "http://169.254.169.254"
    # Never through a proxy: the address is this machine's own.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(path, method="GET", headers=None):
        url = f"{endpoint.rstrip('/')}/latest/{path}"
        request = urllib.request.Request(url, method=method, headers=headers or {})
        try:
            with opener.open(request, timeout=3) as answer:
                return answer.read().decode().strip()
        except urllib.error.HTTPError as e:
            if e.code == 404 and path.startswith("meta-data/tags/"):
                raise Stop(
                    WRONG_SETTINGS,
                    "wrong-settings",
                    f"the instance has no tag {TAG} in its metadata: set it to the name of the"
                    " node's parameter and allow tags in metadata (InstanceMetadataTags); the"
                    " Cluster stack's launch template does both",
                ) from e
            raise Stop(AWS_AWAY, "metadata-away", f"{url} answered {e.code}; asked again") from e
        except OSError as e:
            raise Stop(AWS_AWAY, "metadata-away", f"{url} doesn't answer ({e}); asked again") from e

    lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": "300"}
    token = {"X-aws-ec2-metadata-token": ask("api/token", "PUT", lifetime)}

    def read(name):
        return ask(f"meta-data/{name}", headers=token)

    return Instance(
        id=read("instance-id"),
        address=read("local-ipv4"),
        region=read("placement/region"),
        zone=read("placement/availability-zone"),
        parameter=read(f"tags/instance/{TAG}"),
    )


def client(service, region, config=CALL):
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or None
    return boto3.client(service, region_name=region, endpoint_url=endpoint, config=config)


def code_of(failure):
    """What AWS called it, or its kind where it didn't answer; never the answer itself."""
    if isinstance(failure, botocore.exceptions.ClientError):
        return failure.response.get("Error", {}).get("Code", "unknown")
    return type(failure).__name__


def parameter_of(instance):
    try:
        answer = client("ssm", instance.region).get_parameter(Name=instance.parameter)
    except AWS_FAILURES as e:
        if code_of(e) == "ParameterNotFound":
            raise Stop(
                WRONG_SETTINGS,
                "wrong-settings",
                f"there is no parameter {instance.parameter} in {instance.region}, which the tag"
                f" {TAG} names: deploy the pair's Cluster stack there, or correct the tag",
            ) from e
        raise Stop(
            AWS_AWAY,
            "parameter-away",
            f"the parameter {instance.parameter} in {instance.region} can't be read"
            f" ({code_of(e)}): look at the instance's role (ssm:GetParameter) and its way to SSM",
        ) from e
    return answer["Parameter"]["Value"]


def told(instance):
    """The node that the parameter describes, and its text."""
    text = parameter_of(instance)
    node, mistakes, unknown = node_of(text)
    if node is not None and node.region != instance.region:
        mistakes = [
            f'region: read "{node.region}", expected "{instance.region}", where the instance is'
        ]
    if mistakes:
        raise Stop(
            WRONG_SETTINGS,
            "wrong-settings",
            f"the parameter {instance.parameter} is wrong: {'; '.join(mistakes)}. Deploy the"
            " pair's Cluster stack again, which writes it; boot reads it anew by itself",
        )
    if unknown:
        say(
            "WARN",
            "unknown-fields",
            f"not known to this image, passed over: {', '.join(unknown)}",
        )
    return node, text


# ---- Quarantine ----------------------------------------------------------------------------


class Seen(Enum):
    """What a place says."""

    MARK = "mark"
    NONE = "none"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Reading:
    """What was seen at a place: of a mark the incident it names, otherwise why it can't be read."""

    place: Place
    seen: Seen
    detail: str = ""


class Judgement(Enum):
    """What follows for the server."""

    MAY_SERVE = "may serve"
    QUARANTINED = "quarantined"
    BLIND = "blind"
    ISOLATED = "isolated"


def judge(readings, self_fence, blind_slots):
    """Decides by one look at all places; blind_slots is how long none could be read.

    A mark counts wherever it stands, and whatever can't be read beside it.
    """
    if any(reading.seen is Seen.MARK for reading in readings):
        return Judgement.QUARANTINED
    if not readings or any(reading.seen is Seen.NONE for reading in readings):
        return Judgement.MAY_SERVE
    if self_fence and blind_slots >= SELF_FENCE_SLOTS:
        return Judgement.ISOLATED
    return Judgement.BLIND


class Marks:
    """Looks at all places at once, each within its limit."""

    def __init__(self, places):
        self.places = places
        # Made here: a session isn't safe to make clients by several threads.
        self.clients = {place: client("s3", place.region, GLANCE) for place in places}
        self.threads = concurrent.futures.ThreadPoolExecutor(max(1, len(places)))
        self.running = {}

    def read(self, limit=MARK_LIMIT_SECONDS):
        # One that still hangs, say in a name's resolution, isn't asked a second time.
        late = set(self.running)
        for place in self.places:
            if place not in late:
                self.running[place] = self.threads.submit(self.look, place)
        concurrent.futures.wait(self.running.values(), timeout=limit)
        return [self.result(place, place in late) for place in self.places]

    def result(self, place, late):
        if not self.running[place].done():
            return Reading(place, Seen.UNREADABLE, "no answer in time")
        reading = self.running.pop(place).result()
        # That there was no mark some time ago says nothing of now; that there was one does.
        if late and reading.seen is Seen.NONE:
            return Reading(place, Seen.UNREADABLE, "answered late")
        return reading

    def look(self, place):
        # Not HEAD, which answers 404 alike for a mark that isn't there and for a bucket that isn't.
        try:
            answer = self.clients[place].get_object(Bucket=place.bucket, Key=place.key)
            with answer["Body"] as body:
                incident = body.read(100).decode("utf-8", "replace").strip()
            return Reading(place, Seen.MARK, incident)
        except AWS_FAILURES as e:
            if code_of(e) == "NoSuchKey":
                return Reading(place, Seen.NONE)
            return Reading(place, Seen.UNREADABLE, code_of(e))

    def close(self):
        self.threads.shutdown(wait=False)


def described(readings, seen):
    return "; ".join(
        f"{reading.place}" + (f": {reading.detail}" if reading.detail else "")
        for reading in readings
        if reading.seen is seen
    )


def quarantine_at_boot(node):
    """Refuses where the server mustn't start; whether it starts without having read any mark."""
    if not node.quarantine:
        say("INFO", "no-marks", "no quarantine marks are kept for this node: nothing to look for")
        return False
    marks = Marks(node.quarantine)
    readings = marks.read()
    marks.close()
    unreadable = described(readings, Seen.UNREADABLE)
    # There is no patience at boot: a server that doesn't run yet loses nothing by waiting.
    judgement = judge(readings, node.self_fence, SELF_FENCE_SLOTS)
    if judgement is Judgement.QUARANTINED:
        raise Stop(
            QUARANTINED,
            "quarantined",
            f"this side doesn't serve any more, so {node.unit} isn't started: mark at"
            f" {described(readings, Seen.MARK)}. See {RUNBOOK}",
        )
    if judgement is Judgement.ISOLATED:
        raise Stop(
            NOTHING_READABLE,
            "nothing-readable",
            f"no quarantine mark can be read ({unreadable}) and this node fences itself, so"
            f" {node.unit} isn't started until one can. See {RUNBOOK}",
        )
    if unreadable:
        say("WARN", "mark-unreadable", f"can't be read: {unreadable}")
    else:
        say("INFO", "no-mark", "no quarantine mark stands")
    return judgement is Judgement.BLIND


def page_blind(node, instance):
    text = (
        f"{instance.id} of {node.pair}'s {node.side} started {node.unit} although it could read"
        " none of its quarantine marks. Look whether the other side serves; if it does, stop this"
        f" one.\n\nRunbook: {RUNBOOK}\n"
    )
    if node.pages is None:
        say("WARN", "page-unsent", "nobody is paged: the parameter names no topic (pages)")
        return
    try:
        client("sns", node.pages.split(":")[3]).publish(
            TopicArn=node.pages,
            Subject=f"{node.pair}: {node.side} node started without its marks"[:99],
            Message=text,
        )
        say("INFO", "paged", f"paged through {node.pages}")
    except AWS_FAILURES as e:
        say("ERROR", "page-unsent", f"nobody could be paged through {node.pages} ({code_of(e)})")


# ---- The unit and files --------------------------------------------------------------------


def systemctl(*arguments, limit=60):
    """Runs it: the exit code and what it printed."""
    program = os.environ.get("VAULT_DR_SYSTEMCTL") or "systemctl"
    try:
        run = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, f"no end within {limit} s"
    except OSError as e:
        return 1, str(e)
    return run.returncode, run.stdout.decode("utf-8", "replace").strip()


def owner_of(unit):
    """The user and group that the unit runs as; systemd's own where it names none."""
    code, output = systemctl("show", "--property=User", "--property=Group", unit)
    if code != 0:
        raise Stop(NOT_STARTED, "unit-unknown", f"systemctl show {unit} failed: {output}")
    named = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    user, group = named.get("User", ""), named.get("Group", "")
    try:
        entry = pwd.getpwnam(user) if user else pwd.getpwuid(os.geteuid())
        return entry.pw_uid, grp.getgrnam(group).gr_gid if group else entry.pw_gid
    except KeyError as e:
        raise Stop(
            NOT_STARTED,
            "unit-unknown",
            f'the unit {unit} runs as "{user}:{group}", whom this machine doesn\'t know ({e}): the'
            " image has to make them",
        ) from e


def own(path, mode, owner):
    """Never through a link: the server's user may have put one into a directory of its own."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        status = os.fstat(handle)
        if (status.st_uid, status.st_gid) != owner:
            os.fchown(handle, *owner)
        if status.st_mode & 0o7777 != mode:
            os.fchmod(handle, mode)
    finally:
        os.close(handle)


def make_directory(path, mode, owner):
    """Makes it and what lies above; one that is there keeps its owner and mode."""
    path = pathlib.Path(path)
    if not path.is_dir():
        path.mkdir(parents=True, mode=mode)
        own(path, mode, owner)
    return path


def itself():
    return os.geteuid(), os.getegid()


def write(path, content, mode, owner):
    """Puts the content in place whole, or leaves the file as it is; whether it was another."""
    if path.is_file() and not path.is_symlink() and path.read_bytes() == content:
        own(path, mode, owner)
        return False
    # Made with mode 600, and widened only when all of it is there.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        own(name, mode, owner)
        os.replace(name, path)
    except OSError:
        os.unlink(name)
        raise
    return True


# ---- TLS and licence -----------------------------------------------------------------------


def secret_of(node, name, what):
    try:
        answer = client("secretsmanager", node.region).get_secret_value(SecretId=name)
    except AWS_FAILURES as e:
        missing = code_of(e) == "ResourceNotFoundException"
        raise Stop(
            WRONG_TLS if missing and what == "TLS" else AWS_AWAY,
            f"{what.lower()}-secret-away",
            f"the {what} secret {name} in {node.region} can't be read ({code_of(e)}): "
            + ("put it there" if missing else "look at secretsmanager:GetSecretValue and its key"),
        ) from e
    return answer.get("SecretString") or ""


def tls_of(node):
    """The secret's three parts, all mistakes told at once and none of their content."""
    read = secret_of(node, node.tls_secret, "TLS")
    try:
        parts = json.loads(read)
    except ValueError:
        parts = None
    wanted = {"certificate": "CERTIFICATE", "private_key": "PRIVATE KEY", "ca": "CERTIFICATE"}
    wrong = [
        f'"{name}" isn\'t PEM of a {kind.lower()}'
        for name, kind in wanted.items()
        if not isinstance(parts, dict)
        or not re.search(rf"-----BEGIN [A-Z ]*{kind}-----", str(parts.get(name, "")))
    ]
    if wrong:
        raise wrong_tls(node, "; ".join(wrong))
    return {name: parts[name].strip() + "\n" for name in wanted}


def wrong_tls(node, why):
    return Stop(
        WRONG_TLS,
        "wrong-tls",
        f"the TLS secret {node.tls_secret} in {node.region} doesn't do: {why}. Expected is JSON"
        ' with "certificate" (with its chain), "private_key" and "ca", PEM each, for'
        f' "{node.server_name}"; put a new version there, boot reads it anew by itself',
    )


def check_tls(node, certificate, key, authority):
    """Does what a client will: a handshake in memory. The certificate's last second."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Any certificate in the file may end the chain, as for the servers, which are written in Go.
    asking.verify_flags |= getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0x80000)
    try:
        # A password would be asked for at the terminal.
        serving.load_cert_chain(certificate, key, password=lambda: b"none")
    except (ssl.SSLError, ValueError) as e:
        reason = getattr(e, "reason", None) or "not readable"
        raise wrong_tls(node, f"certificate and private key don't go together ({reason})") from e
    try:
        asking.load_verify_locations(authority)
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        client_end = asking.wrap_bio(to_client, to_server, server_hostname=node.server_name)
        server_end = serving.wrap_bio(to_server, to_client, server_side=True)
        for _ in range(4):
            for end in (client_end, server_end):
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    continue
    except ssl.SSLCertVerificationError as e:
        raise wrong_tls(node, e.verify_message) from e
    except ssl.SSLError as e:
        raise wrong_tls(node, f"no client can use it ({e.reason})") from e
    return ssl.cert_time_to_seconds(client_end.getpeercert()["notAfter"])


def write_tls(node, owner):
    """Puts the secret's files in place once they are known to be right; whether they changed."""
    parts = tls_of(node)
    # Not the user's own, who could put links into it.
    place = make_directory(directory() / "tls", 0o755, itself())
    with tempfile.TemporaryDirectory(dir=place, prefix=".new-") as name:
        new = {part: pathlib.Path(name) / f"{part}.pem" for part in parts}
        for part, path in new.items():
            write(path, parts[part].encode(), 0o600, itself())
        ends = check_tls(node, new["certificate"], new["private_key"], new["ca"])
    days = int((ends - time.time()) // 86400)
    level = "INFO" if days >= 30 else "WARN"
    say(level, "tls", f"the certificate for {node.server_name} ends in {days} days", days=days)
    changed = [
        write(place / f"{part}.pem", text.encode(), 0o600, owner) for part, text in parts.items()
    ]
    return any(changed)


# ---- The server's configuration ------------------------------------------------------------


def configuration(node, instance, base, metrics):
    """The server's configuration: the same for the same node, whenever it is asked.

    JSON is read by both servers as HCL is, and nothing in it has to be quoted by hand.
    """
    name = ipaddress.ip_address(instance.address)
    host = f"[{name}]" if name.version == 6 else str(name)
    api = f"https://{host}:{node.api_port}"
    cluster = f"https://{host}:{node.cluster_port}"
    authority = str(base / "tls" / "ca.pem")
    limit = f"{node.request_seconds}s"
    local, _, port = metrics.rpartition(":")
    # Each listener opens one for the cluster beside it, by default a port above: nobody needs those
    # of this machine's own, and they must not take a port that somebody else has.
    beside = f"{local}:0"
    all_settings = {
        "storage": {
            "raft": {
                "path": node.data_directory,
                "node_id": instance.id,
                "performance_multiplier": 1,
                "retry_join": joins(node, api, authority),
            }
        },
        "listener": [
            {
                "tcp": {
                    "address": f"{host}:{node.api_port}",
                    "cluster_address": f"{host}:{node.cluster_port}",
                    "tls_cert_file": str(base / "tls" / "certificate.pem"),
                    "tls_key_file": str(base / "tls" / "private_key.pem"),
                    # They cover a whole snapshot or restore.
                    "http_read_timeout": limit,
                    "http_write_timeout": limit,
                    "max_request_duration": limit,
                }
            },
            # For the agent on this machine; the other one tells no metrics without a token.
            {
                "tcp": {
                    "address": metrics,
                    "cluster_address": beside,
                    "tls_disable": True,
                    "telemetry": {"unauthenticated_metrics_access": True},
                }
            },
        ],
        "seal": [{node.seal.type: node.seal.options}],
        "api_addr": api,
        "cluster_addr": cluster,
        # Two scrapes. Before a server knows its cluster's name it says under another label that it
        # is sealed, and that series stays for as long: docs/watching.md.
        "telemetry": {"prometheus_retention_time": "30s", "disable_hostname": True},
        "ui": False,
        "log_format": "json",
    }
    if node.edition == "vault":
        # OpenBao never locks its memory, and has no such word.
        all_settings["disable_mlock"] = True
    else:
        all_settings["listener"][1]["tcp"]["telemetry"]["metrics_only"] = True
        # OpenBao makes a root token of recovery keys only where a listener lets it: this one, by
        # which nobody comes who isn't on the machine.
        door = {"address": f"{local}:{int(port) + 1}", "cluster_address": beside}
        door["tls_disable"] = True
        door["disable_unauthed_generate_root_endpoints"] = False
        all_settings["listener"].append({"tcp": door})
        # OpenBao takes audit devices from here only. The second one works on any machine: a
        # server that can open none of those it has doesn't come up, the prover's neither.
        all_settings["audit"] = [
            audit_device("file", node.audit_file, "The file that exists on every node"),
            audit_device("stdout", "stdout", "The unit's journal, which works on any machine"),
        ]
    if node.seal.plugin is not None:
        program = pathlib.Path(node.seal.plugin.path)
        block = {"command": program.name, "sha256sum": node.seal.plugin.sha256}
        all_settings["plugin_directory"] = str(program.parent)
        all_settings["plugin"] = [{"kms": {node.seal.type: block}}]
    if node.licence_secret is not None:
        all_settings["license_path"] = str(base / "licence")
    return all_settings


def audit_device(path, file, description):
    # Without a second field the parser takes "options" for a part of the block's name.
    body = {"description": description, "options": {"file_path": file}}
    return {"file": {path: body}}


def joins(node, own_address, authority):
    """Whom the node asks to be let in: all but itself."""
    trust = {"leader_tls_servername": node.server_name, "leader_ca_cert_file": authority}
    if node.join_tag is None:
        others = [address for address in node.join_addresses if address != own_address]
        return [{"leader_api_addr": address, **trust} for address in others]
    key, value = node.join_tag
    found = (
        f"provider=aws region={node.region} tag_key={key} tag_value={value} addr_type=private_v4"
    )
    return [{"auto_join": found, "auto_join_port": node.api_port, **trust}]


def write_server_files(node, instance, owner):
    """All that the server needs beside TLS; whether its configuration changed."""
    base = directory()
    make_directory(node.data_directory, 0o700, owner)
    audit = pathlib.Path(node.audit_file)
    make_directory(audit.parent, 0o750, owner)
    audit.touch(mode=0o600)
    own(audit, 0o600, owner)
    if node.licence_secret is not None:
        licence = secret_of(node, node.licence_secret, "licence")
        write(base / "licence", licence.encode(), 0o600, owner)
    metrics = os.environ.get("VAULT_DR_METRICS_ADDRESS") or "127.0.0.1:8202"
    settings = configuration(node, instance, base, metrics)
    content = json.dumps(settings, indent=2) + "\n"
    return write(base / "server.json", content.encode(), 0o644, itself())


# ---- The two commands ----------------------------------------------------------------------


def boot():
    instance = instance_of_metadata()
    CONTEXT.update(instance=instance.id)
    say("INFO", "instance", f"{instance.address} in {instance.zone}, told by {instance.parameter}")
    node, text = told(instance)
    CONTEXT.update(pair=node.pair, side=node.side)
    try:
        make_directory(directory(), 0o755, itself())
        # For watch, which then depends on nothing that a lost region takes along.
        write(directory() / "node.json", text.encode(), 0o644, itself())
        blind = quarantine_at_boot(node)
        owner = owner_of(node.unit)
        tls_changed = write_tls(node, owner)
        settings_changed = write_server_files(node, instance, owner)
    except OSError as e:
        raise Stop(
            NOT_STARTED, "unwritable", f"{e}: correct owner and mode, or free space there"
        ) from e
    start(node, tls_changed, settings_changed)
    if blind:
        page_blind(node, instance)
    return 0


def start(node, tls_changed, settings_changed):
    ran = systemctl("is-active", "--quiet", node.unit)[0] == 0
    code, output = systemctl("start", node.unit, limit=120)
    if code != 0:
        raise Stop(
            NOT_STARTED,
            "not-started",
            f"systemctl start {node.unit} failed ({output}): journalctl -u {node.unit} says why",
        )
    if not ran:
        say("INFO", "started", f"{node.unit} runs")
        return
    if tls_changed:
        code, output = systemctl("reload", node.unit)
        if code != 0:
            raise Stop(NOT_STARTED, "not-reloaded", f"systemctl reload {node.unit}: {output}")
    if settings_changed:
        say(
            "WARN",
            "restart-needed",
            f"the configuration is another: systemctl restart {node.unit}, one node at a time",
        )
    say("INFO", "runs", f"{node.unit} ran already" + (", got its new TLS" * tls_changed))


class Watch:
    """One look after the other, and what was said last, so that a state is said once."""

    def __init__(self, slot):
        self.slot = slot
        self.text = None
        self.node = None
        self.marks = None
        self.said = None
        self.said_at = 0.0
        self.read_at = time.monotonic()

    def learn(self):
        """Takes what boot wrote, whenever it is another."""
        try:
            text = (directory() / "node.json").read_text(encoding="utf-8")
        except OSError as e:
            self.once("WARN", "unknown-node", f"boot has told nothing yet ({e.strerror})")
            return
        if text == self.text:
            return
        node, mistakes, _ = node_of(text)
        if node is None:
            self.once("ERROR", "wrong-settings", f"node.json is wrong: {'; '.join(mistakes)}")
            return
        if self.marks is not None:
            self.marks.close()
        self.text, self.node, self.marks = text, node, Marks(node.quarantine)
        CONTEXT.update(pair=node.pair, side=node.side)
        say(
            "INFO",
            "watching",
            f"{len(node.quarantine)} places, every {self.slot:g} s, "
            + ("with" if node.self_fence else "without")
            + f" self-fence, for {node.unit}",
        )

    def look(self, now):
        """One slot."""
        self.learn()
        if self.node is None:
            return
        readings = self.marks.read(min(MARK_LIMIT_SECONDS, 0.6 * self.slot))
        if any(reading.seen is not Seen.UNREADABLE for reading in readings):
            # From the beginning of the look, so that the limit is never passed.
            self.read_at = now
        blind = time.monotonic() - self.read_at
        judgement = judge(readings, self.node.self_fence, blind / self.slot)
        unreadable = described(readings, Seen.UNREADABLE)
        if judgement is Judgement.QUARANTINED:
            marks = described(readings, Seen.MARK)
            self.once("ERROR", "quarantined", f"mark at {marks}. See {RUNBOOK}")
            self.stop()
        elif judgement is Judgement.ISOLATED:
            reason = f"no mark could be read for {blind:.1f} s: {unreadable}"
            self.once("ERROR", "isolated", f"{reason}. See {RUNBOOK}", seconds=round(blind, 1))
            self.stop()
        elif judgement is Judgement.BLIND:
            self.once("WARN", "blind", f"no mark can be read: {unreadable}. See {RUNBOOK}")
        elif unreadable:
            self.once("WARN", "mark-unreadable", f"can't be read: {unreadable}")
        elif self.said != "no-mark":
            # What was stopped stays so: a person starts it, or wipes it.
            self.once("INFO", "no-mark", "no quarantine mark stands")

    def once(self, level, event, message, **keys):
        """Says it when it is new, and again every few slots."""
        now = time.monotonic()
        if event != self.said or now - self.said_at >= REMINDER_SLOTS * self.slot:
            say(level, event, message, **keys)
            self.said, self.said_at = event, now

    def stop(self):
        """Stops the unit, in every slot anew: somebody may have started it."""
        unit = self.node.unit
        _, state = systemctl("is-active", unit)
        if state in ("inactive", "failed"):
            return
        code, output = systemctl("stop", unit)
        if code == 0:
            say("ERROR", "stopped", f"{unit} was {state} and is stopped")
        else:
            say("ERROR", "not-stopped", f"systemctl stop {unit} failed ({output}); tried again")


def watch():
    slot = slot_seconds()
    state = Watch(slot)
    while True:
        now = time.monotonic()
        state.look(now)
        time.sleep(max(0.0, now + slot - time.monotonic()))


def main(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("boot", "watch"))
    command = {"boot": boot, "watch": watch}[parser.parse_args(arguments).command]
    try:
        return command()
    except Stop as e:
        say("ERROR", e.event, str(e), exit=e.code)
        return e.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
