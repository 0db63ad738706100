#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# image-root.sh STAGE ROOT: copies the program of a staged tree into ROOT, with the libraries that it is linked with, the CA
# certificates, its folders and a list of what is inside (CycloneDX). Runs where the program was built, on Debian, as root.
set -euo pipefail
stage=$1 root=$2 user=65532

mkdir -p "$root"/{usr/sbin,etc/ssl/certs,etc/fffa/conf.d,usr/share/fffa,var/log/fffa,var/lib/fffa/spool,tmp,run}
cp "$stage/usr/sbin/fffa" "$root/usr/sbin/fffa"
cp "$stage"/usr/share/fffa/* "$root/usr/share/fffa/"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
printf 'root:x:0:0::/:/\nfffa:x:%s:%s::/var/lib/fffa:/\n' $user $user >"$root/etc/passwd"
printf 'root:x:0:\nfffa:x:%s:\n' $user >"$root/etc/group"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"
mapfile -t libraries < <(ldd "$root/usr/sbin/fffa" | grep -oE '/[^ ]+' | sort -u)
for library in "${libraries[@]}"; do
	mkdir -p "$root$(dirname "$library")"
	cp -L "$library" "$root$library"
done
chown -R $user:$user "$root/var/log/fffa" "$root/var/lib/fffa"
chmod 1777 "$root/tmp"

# Which packages the libraries are of.
{
	printf '{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": [\n'
	for library in "${libraries[@]}"; do
		dpkg -S "$(realpath "$library")" 2>/dev/null || dpkg -S "/usr$(realpath "$library")" 2>/dev/null ||
			dpkg -S "$(realpath "$library" | sed 's|^/usr||')"
	done | sed 's/: .*//' | sort -u >/tmp/packages
	# shellcheck disable=SC2016 # dpkg-query's own variables
	xargs dpkg-query -W -f '{"type": "library", "name": "${Package}", "version": "${Version}", "purl": "pkg:deb/debian/${Package}@${Version}"},\n' </tmp/packages
	printf '{"type": "application", "name": "fffa", "version": "%s"}]}\n' "$("$root/usr/sbin/fffa" version | sed -n '1s/^fffa \([^ ]*\).*/\1/p')"
} >"$root/usr/share/fffa/sbom.cdx.json"

# Permitted, not effective: so it can be run where an engine gives only some of them; the program takes what is there.
setcap cap_bpf,cap_net_admin,cap_perfmon,cap_sys_admin=p "$root/usr/sbin/fffa"
