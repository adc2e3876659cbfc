"""Judges every IAM policy of CloudFormation templates with parliament: roles' and managed policies,
trust policies, and those of buckets, queues, topics, keys and endpoints.

    judge.py EXPLAINED TEMPLATE…

Prints one line per finding that EXPLAINED doesn't explain, and one per explanation that explains
nothing any more. Ends with 0 only where there is neither.
"""

import json
import re
import sys
from pathlib import Path

import parliament
import yaml

ACCOUNT = "111122223333"
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::URLSuffix": "amazonaws.com",
}

# The last part of an ARN, by what makes it; what has no region or account in its ARN says so.
ARNS = {
    "AWS::S3::Bucket": "arn:aws:s3:::{id}",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{id}",
    "AWS::SQS::Queue": "arn:aws:sqs:{region}:{account}:{id}",
    "AWS::SNS::Topic": "arn:aws:sns:{region}:{account}:{id}",
    "AWS::KMS::Key": "arn:aws:kms:{region}:{account}:key/{uuid}",
    "AWS::KMS::ReplicaKey": "arn:aws:kms:{region}:{account}:key/{uuid}",
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{region}:{account}:table/{id}",
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{id}",
    "AWS::Logs::LogGroup": "arn:aws:logs:{region}:{account}:log-group:{id}:*",
    "AWS::SecretsManager::Secret": "arn:aws:secretsmanager:{region}:{account}:secret:{id}-AbCdEf",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:{region}:{account}:stateMachine:{id}",
}


class Template:
    """A template whose references are told as texts; one that it can't tell ends the judgement."""

    def __init__(self, path):
        self.resources = json.loads(path.read_text())["Resources"]

    def arn(self, logical):
        kind = self.resources[logical]["Type"]
        if kind not in ARNS:
            sys.exit(f"judge: the ARN of a {kind} ({logical}) is unknown: add it to ARNS")
        return ARNS[kind].format(
            id=logical.lower() if kind == "AWS::S3::Bucket" else logical,
            account=ACCOUNT, region="eu-west-1", uuid="0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9")

    def told(self, value):
        if isinstance(value, list):
            return [self.told(item) for item in value]
        if isinstance(value, (bool, int, float)):
            return json.dumps(value)  # IAM takes both, parliament only texts
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(key, of)] = value.items()
            if key == "Ref" and of in PSEUDO:
                return PSEUDO[of]
            if key == "Ref" and self.resources.get(of, {}).get("Type") == "AWS::SNS::Topic":
                return self.arn(of)
            if key == "Ref" and of in self.resources:
                return of
            if key == "Fn::GetAtt" and of[1] == "Arn":
                return self.arn(of[0])
            if key == "Fn::Join":
                return of[0].join(self.told(part) for part in of[1])
            if key == "Ref" or key.startswith("Fn::"):
                sys.exit(f"judge: {json.dumps(value)} in a policy: tell judge.py what it stands for")
        return {key: self.told(item) for key, item in value.items()}

    def policies(self):
        for logical, resource in self.resources.items():
            for path, document in documents(resource.get("Properties", {}), ()):
                yield logical, resource["Type"], path, self.told(document)


def documents(value, path):
    if isinstance(value, dict):
        if "Statement" in value:
            yield path, value
        else:
            for key, item in value.items():
                yield from documents(item, path + (key,))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from documents(item, path + (str(number),))


def findings(text):
    policy = parliament.analyze_policy_string(text, include_community_auditors=True)
    for finding in policy.findings:
        place = {key: value for key, value in finding.location.items()
                 if key not in ("filepath", "line", "column")}
        yield finding.issue, f"{finding.detail} {json.dumps(place, default=str)}".strip()


def main(explained, templates):
    explanations = yaml.safe_load(Path(explained).read_text())
    for explanation in explanations:
        if set(explanation) != {"issue", "of", "detail", "reason"}:
            sys.exit(f"judge: {explanation}: expected issue, of, detail and reason")
    used = set()
    judged = 0
    found = {}  # examples share most of their policies
    unexplained = set()
    for name in templates:
        path = Path(name)
        for logical, kind, where, document in Template(path).policies():
            judged += 1
            text = json.dumps(document)
            if text not in found:
                found[text] = list(findings(text))
            for issue, detail in found[text]:
                for number, it in enumerate(explanations):
                    if it["issue"] == issue and re.fullmatch(it["of"], f"{kind}/{where[-1]}") \
                            and re.search(it["detail"], detail):
                        used.add(number)
                        break
                else:
                    unexplained.add(
                        f"{path.name} {logical} {kind}/{where[-1]}: {issue} {detail}")
    for line in sorted(unexplained):
        print(line)
    for number, it in enumerate(explanations):
        if number not in used:
            print(f"explains nothing any more: {it['issue']} of {it['of']}: {it['detail']}")
    if not judged:
        sys.exit("judge: no policy in " + " ".join(templates))
    print(f"{judged} policies judged", file=sys.stderr)
    sys.exit(1 if unexplained or len(used) < len(explanations) else 0)


main(sys.argv[1], sys.argv[2:])
