#!/usr/bin/env python3
"""Measures the proof of a snapshot against the server's own time; see docs/bench-prove.md.

    bench/prove/run.py [--mib 10 100 1024] [--rounds 3] [--markdown FILE]

In turns within each round, for each size: a blank server by hand (start, initialise, post the
archive from a file with curl, until the canary reads back), and ProveSnapshot's code, warm, with
the same server in the same configuration, the archive coming over HTTP from a bucket on loopback.
Needs what bench/snapshot/run.py needs, less openssl.
"""

import argparse
import base64
import hashlib
import http.server
import io
import json
import os
import pathlib
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "snapshot"))
import run as snapshot  # noqa: E402

ROOT = snapshot.ROOT
ROLE = """path "vault-dr/data/canary" { capabilities = ["read"] }
path "sys/mounts" { capabilities = ["read"] }
path "sys/auth" { capabilities = ["read"] }
path "sys/policies/acl" { capabilities = ["list"] }
path "identity/entity/id" { capabilities = ["list"] }
path "+/metadata/*" { capabilities = ["list"] }
"""


class Aws(http.server.BaseHTTPRequestHandler):
    """As much of S3 and Secrets Manager as a proof asks for: objects are files."""

    protocol_version = "HTTP/1.1"
    root = pathlib.Path()
    secrets = {}

    def do_GET(self):
        file = self.root / self.path.split("?")[0].lstrip("/")
        if not file.is_file():
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>", "application/xml")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(file.stat().st_size))
        self.send_header("ETag", '"1"')
        self.end_headers()
        with open(file, "rb") as body:
            self.connection.sendfile(body)

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, b"", "application/xml")

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        value = self.secrets[asked["SecretId"]]
        body = {"Name": asked["SecretId"], "VersionId": "0" * 32, "SecretString": value}
        self.answer(200, json.dumps(body).encode(), "application/x-amz-json-1.1")

    def answer(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", kind)
        self.send_header("ETag", '"1"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Source(snapshot.Server):
    """The cluster whose snapshots are proven; it grows from size to size."""

    def __init__(self, work):
        super().__init__(work)
        self.work = work
        self.entries = 0
        self.fill(0)
        self.again("POST", "sys/auth/approle", {"type": "approle"})
        self.again("PUT", "sys/policies/acl/prove", {"policy": ROLE})
        self.again("POST", "auth/approle/role/prove", {"token_policies": "prove"})
        role = self.again("GET", "auth/approle/role/prove/role-id")["data"]["role_id"]
        secret = self.again("POST", "auth/approle/role/prove/secret-id")["data"]["secret_id"]
        self.login = json.dumps({"role_id": role, "secret_id": secret})

    def grow(self, mib):
        content = 720 * 1024
        while self.entries < mib * 1024 * 1024 * 3 // 4 // content:
            value = base64.b64encode(os.urandom(content)).decode()
            self.again("POST", f"vault-dr/data/filler/{self.entries}", {"data": {"bytes": value}})
            self.entries += 1

    def take(self, bucket, mib):
        """A snapshot and its manifest, as TakeSnapshot leaves them."""
        nonce = f"nonce{mib}"
        self.again("POST", "vault-dr/data/canary", {"data": {"nonce": nonce}})
        file = bucket / "archives" / f"bench-{mib}-{nonce}.snap"
        file.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["curl", "-sS", "-f", "-o", str(file), "-H", f"X-Vault-Token: {self.token}"]
            + [f"{self.address}/v1/sys/storage/raft/snapshot"],
            check=True,
        )
        with open(file, "rb") as archive:
            digest = hashlib.file_digest(archive, "sha256").hexdigest()
        with tarfile.open(file) as archive:
            meta = json.load(io.TextIOWrapper(archive.extractfile("meta.json")))
        manifest = {
            "id": f"bench-{mib}",
            "pair": "bench",
            "side": "home",
            "takenAt": "2026-01-01T00:00:00Z",
            "lineage": 0,
            "bytes": file.stat().st_size,
            "sha256": digest,
            "index": meta["Index"],
            "term": meta["Term"],
            "clusterId": self.call("GET", "sys/health")["cluster_id"],
            "nonce": nonce,
            "needs": {
                "edition": "openbao",
                "version": "2.7.2",
                "sealType": "static",
                "login": {},
                "auditPaths": [],
            },
        }
        (bucket / "manifests").mkdir(exist_ok=True)
        (bucket / "manifests" / f"bench-{mib}.json").write_text(json.dumps(manifest))
        return file


def by_hand(source, archive, nonce):
    """The server's own time, and its peak of anonymous memory in MiB."""
    work = pathlib.Path(tempfile.mkdtemp(prefix="bench-prove-"))
    start = time.monotonic()
    server = snapshot.Server(work, (source.work / "key").read_bytes())
    try:
        answer = server.again("PUT", "sys/init", {"recovery_shares": 1, "recovery_threshold": 1})
        active(server)
        subprocess.run(
            ["curl", "-sS", "-f", "-X", "POST", "--upload-file", str(archive)]
            + ["-H", f"X-Vault-Token: {answer['root_token']}"]
            + [f"{server.address}/v1/sys/storage/raft/snapshot"],
            check=True,
        )
        server.token = source.token
        peak = 0
        while True:
            peak = max(peak, anonymous(server.process.pid))
            try:
                if server.call("GET", "vault-dr/data/canary")["data"]["data"]["nonce"] == nonce:
                    return time.monotonic() - start, peak
            except OSError:
                time.sleep(0.05)
    finally:
        server.process.kill()
        server.process.wait()
        shutil.rmtree(work, ignore_errors=True)


def active(server):
    while True:
        try:
            server.call("GET", "sys/health")
            return
        except OSError:
            time.sleep(0.05)


def anonymous(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0


class Ours:
    """A JVM as the function has it: one collector, 256 MiB of heap; warm from the second proof."""

    def __init__(self, classpath, settings, environment, work):
        self.process = subprocess.Popen(
            [snapshot.java(), "-Xmx256m", "-XX:+UseSerialGC", f"-Djava.io.tmpdir={work}"]
            + ["-cp", classpath, "ProveBench", json.dumps(settings)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def prove(self, name):
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        while True:
            line = self.process.stdout.readline()
            if not line:
                sys.exit("our JVM ended; its messages are above")
            if line.startswith('{"seconds"'):
                answer = json.loads(line)
                if answer["proof"]["verdict"] != "PROVEN":
                    sys.exit(f"not proven: {answer['proof']}")
                return answer


def compiled(work):
    zipped = ROOT / "functions/target/vault-dr-functions.zip"
    if not zipped.exists():
        sys.exit(f"{zipped} is missing: mvn -pl functions package -DskipTests")
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(work)
    classpath = f"{work}/classes:" + ":".join(sorted(map(str, (work / "lib").glob("*.jar"))))
    compiler = str(pathlib.Path(snapshot.java()).parent / "javac")
    subprocess.run(
        [compiler, "-d", f"{work}/classes", "-cp", classpath, str(HERE / "ProveBench.java")],
        check=True,
    )
    return classpath


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mib", type=int, nargs="+", default=[10, 100, 1024])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", type=pathlib.Path)
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="bench-prove-"))
    children = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        (work / "ours").mkdir()
        classpath = compiled(work / "ours")
        (work / "source").mkdir()
        source = Source(work / "source")
        children.append(source.process)
        Aws.root = work / "s3"
        bucket = Aws.root / "snapshots"
        bucket.mkdir(parents=True)
        (Aws.root / "servers").mkdir()
        (Aws.root / "servers" / "bao").symlink_to(snapshot.bao())
        Aws.secrets = {
            "seal": base64.b64encode((work / "source" / "key").read_bytes()).decode(),
            "bench/prove": source.login,
        }
        aws = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Aws)
        threading.Thread(target=aws.serve_forever, daemon=True).start()
        with open(snapshot.bao(), "rb") as program:
            sha256 = hashlib.file_digest(program, "sha256").hexdigest()
        settings = {
            "bucket": {"region": "eu-west-1", "name": "snapshots"},
            "server": {"bucket": "servers", "key": "bao", "sha256": sha256},
            "seal": {"type": "static", "key": "seal", "keyId": "k1"},
            "login": "bench",
            "largestSnapshotBytes": 4 << 30,
            "sweepEvery": "PT15M",
            "recover": [],
        }
        environment = dict(
            os.environ,
            AWS_ENDPOINT_URL=f"http://127.0.0.1:{aws.server_port}",
            AWS_ACCESS_KEY_ID="bench",
            AWS_SECRET_ACCESS_KEY="bench",
            AWS_EC2_METADATA_DISABLED="true",
            AWS_LAMBDA_FUNCTION_MEMORY_SIZE="10240",
        )
        (work / "tmp").mkdir()
        ours = Ours(classpath, settings, environment, work / "tmp")
        children.append(ours.process)
        measure(options, source, bucket, ours)
    finally:
        for child in children:
            child.kill()
            child.wait()
        shutil.rmtree(work, ignore_errors=True)


def measure(options, source, bucket, ours):
    rows, stages = [], []
    for mib in options.mib:
        source.grow(mib)
        archive = source.take(bucket, mib)
        ours.prove(f"bench-{mib}")
        hand, proofs = [], []
        for number in range(options.rounds):
            hand.append(by_hand(source, archive, f"nonce{mib}"))
            proofs.append(ours.prove(f"bench-{mib}"))
            print(
                f"{mib} MiB, round {number + 1}: server {hand[-1][0]:.2f} s,"
                f" proof {proofs[-1]['seconds']:.2f} s",
                flush=True,
            )
        own = statistics.median(one[0] for one in hand)
        proof = sorted(proofs, key=lambda one: one["seconds"])[len(proofs) // 2]
        peak = max(one["proof"].get("peakMemoryBytes", 0) for one in proofs) / 1048576
        rows.append(
            f"| {archive.stat().st_size / 1048576:.0f} | {own:.2f} | {proof['seconds']:.2f} |"
            f" {proof['seconds'] / own:.2f} | {max(one[1] for one in hand):.0f} | {peak:.0f} |"
            f" {max(one['scratchBytes'] for one in proofs) / 1048576:.0f} |"
            f" {max(one['ownMiB'] for one in proofs):.0f} |"
        )
        took = {it["name"]: seconds(it["took"]) for it in proof["proof"]["stages"]}
        if not stages:
            stages.append("| MiB | " + " | ".join(took) + " |")
            stages.append("|" + "---|" * (len(took) + 1))
        stages.append(f"| {mib} | " + " | ".join(f"{it:.2f}" for it in took.values()) + " |")
    lines = [
        f"{options.rounds} rounds in turns, medians; {os.cpu_count()} cores, {platform.machine()},"
        f" load {os.getloadavg()[0]:.1f} at the end.",
        "",
        "| archive MiB | the server's own s | proof s | proof ÷ server |"
        " server's memory by hand, MiB | in the proof, MiB | its files, MiB | our JVM, MiB |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        "Seconds per stage of the proof that is the median:",
        "",
        *stages,
    ]
    print("\n".join(lines))
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")


def seconds(duration):
    """Of ISO 8601 as Java writes it, for less than a minute or a few."""
    minutes, _, rest = duration.removeprefix("PT").rpartition("M")
    return (float(minutes) if minutes else 0) * 60 + float(rest.removesuffix("S") or 0)


if __name__ == "__main__":
    main()
