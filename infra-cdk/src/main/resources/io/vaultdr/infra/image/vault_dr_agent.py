#!/usr/bin/python3
"""Tells this node's CloudWatch agent what to send, and starts it.

What to send stands in the SSM parameter beside the node's own: the instance's tag "vault-dr:node"
names .../node-SIDE, and .../agent-SIDE holds {"agent": ..., "prometheus": ...}. "{instance_id}" in
it becomes this instance's id. Exit codes: 0 the agent runs, 1 anything else; systemd tries again.

Environment, which production leaves as it is:

    AWS_EC2_METADATA_SERVICE_ENDPOINT   http://169.254.169.254
    AWS_ENDPOINT_URL                    AWS's own
    VAULT_DR_DIRECTORY                  /etc/vault-dr
    VAULT_DR_AGENT_CTL                  the agent's own control program
"""

import json
import os
import pathlib
import subprocess
import sys
import urllib.error
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

TAG = "vault-dr:node"
CONTROL = "/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl"


class Wrong(Exception):
    """What was read, what was expected, and what to do."""


def metadata(path, token=None):
    base = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or "http://169.254.169.254"
    request = urllib.request.Request(f"{base}/latest/{path}")
    if token is None:
        request.method = "PUT"
        request.add_header("X-aws-ec2-metadata-token-ttl-seconds", "60")
    else:
        request.add_header("X-aws-ec2-metadata-token", token)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as e:
        raise Wrong(
            f"the instance metadata's {path} answered {e.code}: expected a value; tags have to be"
            " let into the metadata by the launch template"
        ) from e


def parameter(name, region):
    limits = botocore.config.Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 4})
    client = boto3.client(
        "ssm",
        region_name=region,
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL") or None,
        config=limits,
    )
    return client.get_parameter(Name=name)["Parameter"]["Value"]


def configurations(text, instance):
    """The agent's part and the scraper's, for this instance."""
    try:
        both = json.loads(text.replace("{instance_id}", instance))
        return both["agent"], both["prometheus"]
    except (ValueError, KeyError, TypeError) as e:
        raise Wrong(f"it holds no agent and prometheus ({e!r}): deploy the cluster's stack") from e


def main():
    token = metadata("api/token")
    instance = metadata("meta-data/instance-id", token)
    region = metadata("meta-data/placement/region", token)
    node = metadata(f"meta-data/tags/instance/{TAG}", token)
    folder, _, last = node.rpartition("/")
    if not last.startswith("node-"):
        raise Wrong(f'the tag {TAG} is "{node}": expected the name of a parameter .../node-SIDE')
    name = f"{folder}/agent-{last[len('node-'):]}"
    try:
        agent, prometheus = configurations(parameter(name, region), instance)
    except Wrong as e:
        raise Wrong(f"the parameter {name}: {e}") from e
    directory = pathlib.Path(os.environ.get("VAULT_DR_DIRECTORY") or "/etc/vault-dr")
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    # JSON is YAML, which the scraper reads.
    for file, content in (("agent.json", agent), ("prometheus.yaml", prometheus)):
        (directory / file).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    control = os.environ.get("VAULT_DR_AGENT_CTL") or CONTROL
    run = [control, "-a", "fetch-config", "-m", "ec2", "-s", "-c", f"file:{directory}/agent.json"]
    subprocess.run(run, check=True, timeout=120, stdin=subprocess.DEVNULL)
    print(f"the agent of {instance} sends what {name} says", flush=True)


if __name__ == "__main__":
    try:
        main()
    except (
        Wrong,
        OSError,
        subprocess.SubprocessError,
        botocore.exceptions.BotoCoreError,
        botocore.exceptions.ClientError,
    ) as error:
        print(f"vault-dr-agent: {error}", file=sys.stderr, flush=True)
        sys.exit(1)
