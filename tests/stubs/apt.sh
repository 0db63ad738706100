# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What this host's apt knows about Debian, for scripts that fetch from another suite.

# known_mirror LABEL: by the package lists that are there.
known_mirror()
{
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(ORIGIN)/$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
		sed -n "s|^Debian/$1 ||p" | head -n 1
}

# debian_mirror SUITE: the mirror that this host uses for Debian, or for its security updates; nothing when none.
debian_mirror()
{
	local label=Debian uri

	[[ $1 != *-security ]] || label=Debian-Security
	uri=$(known_mirror "$label")
	if [[ -z $uri ]] && apt-get -qq -o DPkg::Lock::Timeout=120 update >/dev/null 2>&1; then
		uri=$(known_mirror "$label")
	fi
	echo "$uri"
}

# How this host fetches (proxies, time-outs, what it takes for outdated), as lines for an apt.conf.
apt_fetch_options()
{
	apt-config dump | grep -E '^Acquire::(https?|Check-[A-Za-z-]+|Retries|ForceIPv[46])(::[^ ]*)? "..*";$' || true
}
