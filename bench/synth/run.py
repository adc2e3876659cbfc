#!/usr/bin/env python3
"""Measures synthesis of 1, 10 and 50 pairs, and counts what an account's quotas are about.

    bench/synth/run.py [--pairs 1 10 50] [--rounds 1] [--markdown FILE]

Runs what cdk runs (infra-cdk/app: JVM start, configuration, stacks, cdk-nag, templates) on pairs on
the rung automatic that share three vantages. Needs what ./vault-dr config check FILE builds.
"""

import argparse
import collections
import glob
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEVERAL = ROOT / "infra-cdk/examples/several.yaml"

# What is counted, over all regions or in the region that has most of it.
COUNTED = {
    "AWS::IAM::Role": ("roles", "account"),
    "AWS::Lambda::Function": ("functions", "region"),
    "AWS::CloudWatch::Alarm": ("alarms", "region"),
    "AWS::Events::Rule": ("rules", "region"),
    "AWS::SSM::Document": ("documents", "region"),
    "AWS::EC2::VPC": ("VPCs", "region"),
    "AWS::Route53::HealthCheck": ("health checks", "account"),
    "AWS::S3::Bucket": ("buckets", "account"),
}


def java_home():
    for home in [os.environ.get("JAVA_HOME", "")] + sorted(glob.glob("/usr/lib/jvm/*25*")):
        if home and (pathlib.Path(home) / "bin" / "java").exists():
            return home
    sys.exit("no JDK 25 found: set JAVA_HOME to one")


def configuration(pairs, folder):
    """The first pair of the example, as often as wanted, each with names of its own."""
    text = SEVERAL.read_text()
    head = text[: text.index("pairs:\n") + len("pairs:\n")]
    first = text[len(head) : text.index("  identity:\n")]
    file = folder / "vault-dr.yaml"
    file.write_text(head + "".join(first.replace("payments", f"team{n}") for n in range(pairs)))
    return file


def synthesise(file, out):
    began = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [str(ROOT / "infra-cdk/app")],
        env=dict(
            os.environ,
            JAVA_HOME=java_home(),
            CDK_OUTDIR=str(out),
            CDK_CONTEXT_JSON=json.dumps({"config": str(file)}),
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{file}: synthesis ended with {done.returncode}:\n{done.stdout[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = time.monotonic() - began
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def counted(out):
    everywhere = collections.Counter()
    regions = collections.defaultdict(collections.Counter)
    largest = 0
    stacks = sorted(out.glob("*.template.json"))
    manifest = json.loads((out / "manifest.json").read_text())["artifacts"]
    for stack in stacks:
        name = stack.name.removesuffix(".template.json")
        region = manifest[name]["environment"].rsplit("/", 1)[1]
        resources = json.loads(stack.read_text())["Resources"].values()
        largest = max(largest, len(resources))
        for it in resources:
            everywhere[it["Type"]] += 1
            regions[region][it["Type"]] += 1
            if it["Type"] == "AWS::Lambda::Function":
                regions[region]["reserved"] += it["Properties"].get(
                    "ReservedConcurrentExecutions", 0
                )
    row = {"stacks": len(stacks), "resources in the largest": largest}
    for kind, (label, scope) in COUNTED.items():
        row[label] = (
            everywhere[kind]
            if scope == "account"
            else max(counts[kind] for counts in regions.values())
        )
    row["reserved concurrency"] = max(counts["reserved"] for counts in regions.values())
    return row


def table(rows):
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    return lines + ["| " + " | ".join(str(v) for v in row.values()) + " |" for row in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--markdown", type=pathlib.Path)
    options = parser.parse_args()
    times, counts = [], []
    for pairs in options.pairs:
        measured = []
        for _ in range(options.rounds):
            folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-synth-"))
            try:
                out = folder / "cdk.out"
                measured.append(synthesise(configuration(pairs, folder), out))
                row = counted(out)
            finally:
                shutil.rmtree(folder)
            print(f"{pairs} pairs: {measured[-1][0]:.1f} s", flush=True)
        times.append(
            {
                "pairs": pairs,
                "s": f"{statistics.median(m[0] for m in measured):.1f}",
                "processor s": f"{statistics.median(m[1] for m in measured):.1f}",
            }
        )
        counts.append({"pairs": pairs} | row)
    result = "\n".join(
        [f"{options.rounds} rounds, medians; {os.cpu_count()} cores.", ""]
        + table(times)
        + ["", "Of what there are quotas; of a region the one that has most:", ""]
        + table(counts)
    )
    print("\n" + result)
    if options.markdown:
        options.markdown.write_text(result + "\n")


if __name__ == "__main__":
    main()
