# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What this host's apt knows about Debian, for scripts that fetch from another suite.

# known_mirror LABEL: prints the mirror of the package lists with this label.
known_mirror()
{
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(ORIGIN)/$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
		sed -n "s|^Debian/$1 ||p" | head -n 1
}

# debian_mirror SUITE: prints the mirror that this host uses for Debian, or for its security updates; nothing if it has none.
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

# Prints how this host fetches (proxies, time-outs, age limits) as lines for an apt.conf.
apt_fetch_options()
{
	apt-config dump | grep -E '^Acquire::(https?|Check-[A-Za-z-]+|Retries|ForceIPv[46])(::[^ ]*)? "..*";$' || true
}

die()
{
	echo "$*" >&2
	exit 1
}

# own_apt_open SUITE DIR: reads the package lists of a suite into DIR, beside the host's. Ends the script when it
# cannot.
own_apt_open()
{
	local suite=$1 dir=$2 uri

	uri=$(debian_mirror "$suite")
	[[ -n $uri ]] || die "this host's package sources name no Debian mirror for $suite"
	mkdir -p "$dir"/{lists/partial,cache/archives/partial}
	: >"$dir/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" >"$dir/sources.list"
	cat >"$dir/apt.conf" <<-END
		Dir::State "$dir";
		Dir::State::lists "$dir/lists";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir/cache";
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Retries "2";
	END
	own_apt_conf=$dir/apt.conf
	own_apt apt-get -qq update || die "the package list of $suite cannot be read"
}

# own_apt TOOL ARGUMENT...: runs an apt tool with those lists, and the host's proxies and keys.
own_apt()
{
	APT_CONFIG=$own_apt_conf "$@"
}
