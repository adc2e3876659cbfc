#!/bin/sh
# Makes a node of an Amazon Linux 2023: run by Image Builder as root, beside what it fetched. Takes
# the SHA-256 of the server, and of the seal's plugin where there is one. It starts nothing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
fetched=$(dirname "$here")

check() {
    echo "$1  $fetched/$2" | sha256sum --check --strict - || {
        echo "$2: expected SHA-256 $1, read $(sha256sum < "$fetched/$2"): the bucket holds another" \
            "file than the configuration names; nothing is installed" >&2
        exit 1
    }
}

check "$1" server
[ $# -lt 2 ] || check "$2" plugin

dnf --assumeyes --quiet install amazon-cloudwatch-agent logrotate python3-boto3
dnf --assumeyes --quiet upgrade --security

getent passwd @USER@ > /dev/null \
    || useradd --system --user-group --no-create-home --home-dir @DATA@ --shell /usr/sbin/nologin @USER@
install -o root -g root -m 0755 "$fetched/server" /usr/local/bin/@PROGRAM@
install -o root -g root -m 0755 -d /usr/local/lib/vault-dr /etc/vault-dr
install -o @USER@ -g @USER@ -m 0700 -d @DATA@
install -o @USER@ -g @USER@ -m 0750 -d @AUDIT@
if [ $# -ge 2 ]; then
    install -o root -g root -m 0755 -d "$(dirname @PLUGIN@)"
    install -o root -g root -m 0755 "$fetched/plugin" @PLUGIN@
fi
for file in vault_dr_node.py vault_dr_agent.py verify.sh README; do
    install -o root -g root -m 0644 "$here/$file" "/usr/local/lib/vault-dr/$file"
done
for unit in @UNIT@ vault-dr-boot vault-dr-watch vault-dr-agent; do
    install -o root -g root -m 0644 "$here/$unit.service" "/etc/systemd/system/$unit.service"
done
install -o root -g root -m 0644 "$here/logrotate" /etc/logrotate.d/@UNIT@

# No swap, no core dumps, nobody who logs in over SSH.
swapoff --all
sed -i '/\sswap\s/d' /etc/fstab
install -o root -g root -m 0755 -d /etc/systemd/coredump.conf.d
printf '[Coredump]\nStorage=none\nProcessSizeMax=0\n' > /etc/systemd/coredump.conf.d/vault-dr.conf
printf 'kernel.core_pattern=|/bin/false\nfs.suid_dumpable=0\nvm.swappiness=0\n' > /etc/sysctl.d/90-vault-dr.conf
systemctl disable --quiet sshd.service
systemctl mask --quiet sshd.service

systemctl daemon-reload
# The server isn't enabled: vault-dr-boot starts it once it knows that it may.
systemctl enable --quiet vault-dr-boot.service vault-dr-watch.service vault-dr-agent.service
systemctl enable --quiet amazon-ssm-agent.service logrotate.timer
rm -rf "$fetched/server" "$fetched/plugin"
sh /usr/local/lib/vault-dr/verify.sh
