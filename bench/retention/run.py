#!/usr/bin/env python3
"""Measures Retention on many objects; see docs/bench-retention.md.

    bench/retention/run.py [--objects 50000] [--heap 512m] [--rounds 3]

Real plan and real S3 adapters; two buckets are played by a loopback server that keeps nothing.
Needs functions/target/vault-dr-functions.zip (mvn -pl functions package -DskipTests), or a class
path of one's own in CLASSPATH.
"""

import argparse
import glob
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = pathlib.Path(__file__).resolve().parent / "RetentionBench.java"


def java():
    for home in [os.environ.get("JAVA_HOME", "")] + sorted(glob.glob("/usr/lib/jvm/*25*")):
        candidate = pathlib.Path(home) / "bin" / "java"
        if home and candidate.exists():
            return str(candidate)
    sys.exit("no JDK 25 found: set JAVA_HOME to one")


def classpath(work):
    if os.environ.get("CLASSPATH"):
        return os.environ["CLASSPATH"]
    zipped = ROOT / "functions/target/vault-dr-functions.zip"
    if not zipped.exists():
        sys.exit(f"{zipped} is missing: mvn -pl functions package -DskipTests")
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(work)
    return ":".join(sorted(glob.glob(f"{work}/lib/*.jar")))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--objects", type=int, default=50_000)
    parser.add_argument("--heap", default="512m")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="bench-retention-"))
    # Manifest, proof and archive, in two buckets.
    snapshots = options.objects // 6
    try:
        classes = classpath(work)
        compiler = str(pathlib.Path(java()).parent / "javac")
        subprocess.run([compiler, "-d", str(work), "-cp", classes, str(SOURCE)], check=True)
        command = [java(), f"-Xmx{options.heap}", "-XX:+UseSerialGC", "-cp", f"{work}:{classes}"]
        with subprocess.Popen(
            command + ["RetentionBench", "sink", str(snapshots)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as sink:
            try:
                environment = dict(
                    os.environ,
                    AWS_ENDPOINT_URL=f"http://127.0.0.1:{sink.stdout.readline().strip()}",
                    AWS_ACCESS_KEY_ID="bench",
                    AWS_SECRET_ACCESS_KEY="bench",
                )
                print("| round | snapshots | deleted | plan s | run s | objects/s | peak heap MiB | resident MiB |")
                print("|---|---|---|---|---|---|---|---|")
                for number in range(options.rounds):
                    out = subprocess.run(
                        command + ["RetentionBench", "run"],
                        env=environment,
                        check=True,
                        stdout=subprocess.PIPE,
                        text=True,
                    ).stdout
                    one = json.loads([line for line in out.splitlines() if '"runSeconds"' in line][-1])
                    if one["result"] != "DONE" or one["problems"]:
                        sys.exit(f"it did not end well: {one}")
                    print(
                        f"| {number + 1} | {one['snapshots']} | {one['deleted']} | {one['planSeconds']:.1f} |"
                        f" {one['runSeconds']:.1f} | {6 * one['deleted'] / one['runSeconds']:.0f} |"
                        f" {one['peakHeapMiB']} | {one['residentMiB']} |",
                        flush=True,
                    )
            finally:
                sink.stdin.close()
                sink.kill()
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
