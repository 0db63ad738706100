# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What this host's apt knows about Debian, for scripts that fetch from another suite, or sources.

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

# own_apt_read DIR TYPE: reads package lists into DIR, beside the host's. Each line of standard input is a mirror and a
# suite; TYPE is deb or deb-src. Ends the script when it cannot.
own_apt_read()
{
	local dir=$1 keys=/usr/share/keyrings/debian-archive-keyring.gpg

	mkdir -p "$dir"/{lists/partial,cache/archives/partial}
	: >"$dir/status"
	sed "s|.*|$2 [signed-by=$keys] & main|" >"$dir/sources.list"
	[[ -s $dir/sources.list ]] || die "this host's package sources name no Debian mirror"
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
	own_apt apt-get -qq update || die "the package lists cannot be read: $(cat "$dir/sources.list")"
}

# own_apt_open SUITE DIR: reads the package lists of a suite into DIR. Ends the script when it cannot.
own_apt_open()
{
	local uri

	uri=$(debian_mirror "$1")
	[[ -n $uri ]] || die "this host's package sources name no Debian mirror for $1"
	own_apt_read "$2" deb <<<"$uri $1"
}

# archive_out_of_reach SUITE DIR: true when apt cannot connect to the archive; prints what apt said. An archive that answers
# is not out of reach, whatever it says; a gateway before it (502 to 504) is no archive. DIR is for the lists.
archive_out_of_reach()
{
	local words='Could not (resolve|connect|handshake)|Cannot initiate|Unable to connect|Temporary failure'

	(own_apt_open "$1" "$2") 2>&1 | grep -m 1 -E "$words|Connection (failed|refused|reset|timed out)|50[234] "
}

# own_apt TOOL ARGUMENT...: runs an apt tool with those lists, and the host's proxies and keys.
own_apt()
{
	APT_CONFIG=$own_apt_conf "$@"
}
