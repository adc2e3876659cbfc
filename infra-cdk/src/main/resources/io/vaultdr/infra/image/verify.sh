#!/bin/sh
# Looks whether this machine is a node as it should be. Image Builder runs it twice: at the end of
# the build, and on a machine that was started from the finished image.
set -eu
fail() {
    echo "verify: $1" >&2
    exit 1
}

version=$(/usr/local/bin/@PROGRAM@ version)
case "$version" in
    *"v@VERSION@"[!0-9]* | *"v@VERSION@") ;;
    *) fail "/usr/local/bin/@PROGRAM@ says \"$version\", expected v@VERSION@" ;;
esac
/usr/bin/python3 -m py_compile /usr/local/lib/vault-dr/vault_dr_node.py /usr/local/lib/vault-dr/vault_dr_agent.py
/usr/bin/python3 /usr/local/lib/vault-dr/vault_dr_node.py --help > /dev/null
/usr/bin/python3 -c 'import boto3'
for unit in @UNIT@ vault-dr-boot vault-dr-watch vault-dr-agent; do
    systemd-analyze verify --man=no "/etc/systemd/system/$unit.service"
done
for unit in vault-dr-boot vault-dr-watch vault-dr-agent amazon-ssm-agent; do
    systemctl is-enabled --quiet "$unit.service" || fail "$unit isn't enabled"
done
if systemctl is-enabled --quiet @UNIT@.service; then
    fail "@UNIT@ starts by itself: only vault-dr-boot may start it"
fi
[ -z "$(swapon --noheadings)" ] || fail "there is swap"
[ -x /opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl ] || fail "no CloudWatch agent"
[ -z "$(find @DATA@ -mindepth 1 -print -quit)" ] || fail "@DATA@ isn't empty"
for file in server.json node.json tls licence; do
    [ ! -e "/etc/vault-dr/$file" ] || fail "/etc/vault-dr/$file is of some node: it has no place in an image"
done
echo "verify: $version, as it should be"
