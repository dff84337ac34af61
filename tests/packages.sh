#!/usr/bin/env bash
# Debian packages that the tests need; installs what is missing as root, else says what to install.
set -euo pipefail
missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
command -v openssl >/dev/null || missing+=(openssl)
command -v curl >/dev/null || missing+=(curl)
command -v chromium >/dev/null || missing+=(chromium)
command -v systemd-analyze >/dev/null || missing+=(systemd)
command -v udevadm >/dev/null || missing+=(udev)
command -v softhsm2-util >/dev/null || missing+=(softhsm2)
# A TPM for the Raspberry Pi's kit, TCG's tools beside ours, and what tpm2-pytss is built with.
command -v swtpm >/dev/null || missing+=(swtpm)
command -v tpm2_sign >/dev/null || missing+=(tpm2-tools)
[ -e /usr/include/tss2/tss2_esys.h ] || missing+=(libtss2-dev)
command -v pkg-config >/dev/null || missing+=(pkg-config)
command -v cc >/dev/null || missing+=(gcc)
command -v ssh >/dev/null || missing+=(openssh-client)
[ -x /usr/sbin/sshd ] || missing+=(openssh-server)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
else
    echo "The tests need: apt install ${missing[*]}" >&2
    exit 2
fi
