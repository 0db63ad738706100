#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the agent with its libraries linked in, and tries it in a root that has the C library and nothing else. Needs root,
# Debian 12, and the network once. The libraries are kept in build/portable. The last line is the sum.
# shellcheck disable=SC2317 # check calls functions by name
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
sum_name=portable
# shellcheck source=tests/stubs/sum.sh
. tests/stubs/sum.sh
fffa=$PWD/build/portable/stage/usr/sbin/fffa
dir=$PWD/build/portable/test
root=$dir/root

clean_up()
{
	rm -rf "$dir"
}

needs_the_c_library_alone()
{
	local needed

	needed=$(objdump -p "$fffa" | sed -n 's/^ *NEEDED *//p' | grep -vE '^(libc|libm|ld-linux-.*)\.so\.[0-9]+$')
	echo "$needed"
	[[ -z $needed ]]
}

needs_no_newer_symbol()
{
	local newest

	newest=$(objdump -T "$fffa" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
	echo "the newest symbol is of $newest"
	[[ -n $newest && $(printf '%s\nGLIBC_2.34\n' "$newest" | sort -V | tail -n 1) == GLIBC_2.34 ]]
}

# The program, its loader and its C library; a CA certificate where RHEL and Amazon Linux have it; a collector's key.
make_root()
{
	local file

	rm -rf "$dir"
	mkdir -p "$root"/{tmp,proc,etc/pki/ca-trust/extracted/pem,usr/sbin}
	cp "$fffa" "$root/usr/sbin/"
	for file in $(ldd "$fffa" | grep -oE '/[^ ]+'); do
		mkdir -p "$root$(dirname "$file")" && cp -L "$file" "$root$file" || return
	done
	cp tests/data/fuzz/fuzz_pcap/sll.pcap "$root/tmp/" &&
		openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=collector -addext subjectAltName=IP:127.0.0.1 \
			-keyout "$dir/key.pem" -out "$root/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem" 2>&1
}

runs_there()
{
	chroot "$root" /usr/sbin/fffa version | grep '^fffa ' &&
		[[ $(chroot "$root" /usr/sbin/fffa replay --output - /tmp/sll.pcap | wc -l) -gt 1 ]]
}

# A new network namespace with a collector that stores what it gets.
collector='
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        with open(sys.argv[3], "ab") as f:
            f.write(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()
server = http.server.HTTPServer(("127.0.0.1", 8443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print("ready", flush=True)
server.serve_forever()
'

trusts_the_hosts_certificates()
{
	cat >"$root/tmp/https.yaml" <<-END
		sinks: [{name: up, type: http, format: json, url: "https://127.0.0.1:8443/", compress: none, retry: {give_up: 5s}}]
	END
	# shellcheck disable=SC2016 # of the inner shell
	COLLECTOR=$collector unshare --net bash -c 'ip link set lo up
		exec 3< <(exec /usr/bin/python3 -c "$COLLECTOR" "$1/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem" "$2/key.pem" "$2/got")
		server=$!
		read -r -t 30 _ <&3
		timeout 60 env -u SSL_CERT_FILE -u SSL_CERT_DIR chroot "$1" /usr/sbin/fffa replay -c /tmp/https.yaml /tmp/sll.pcap
		rc=$?
		kill $server
		exit $rc' - "$root" "$dir" && grep -q '"srcaddr"' "$dir/got"
}

# OAUTHBEARER with OIDC needs a librdkafka that has libcurl; lz4, zstd and SCRAM are built in.
speaks_kafka()
{
	cat >"$root/tmp/kafka.yaml" <<-END
		capture: {interfaces: [lo]}
		metadata: {imds: {enabled: off}}
		spool_dir: ""
		sinks:
		  - {name: oidc, type: kafka, format: json, brokers: ["127.0.0.1:9"], topic: t, properties: {security.protocol: sasl_ssl,
		     sasl.mechanisms: OAUTHBEARER, sasl.oauthbearer.method: oidc, sasl.oauthbearer.client.id: c,
		     sasl.oauthbearer.client.secret: s, sasl.oauthbearer.token.endpoint.url: "https://127.0.0.1:9/", compression.type: lz4}}
		  - {name: scram, type: kafka, format: json, brokers: ["127.0.0.1:9"], topic: t, properties: {security.protocol: sasl_ssl,
		     sasl.mechanisms: SCRAM-SHA-512, sasl.username: u, sasl.password: p, compression.type: zstd}}
	END
	! chroot "$root" /usr/sbin/fffa check -c /tmp/kafka.yaml | grep ' sinks\['
}

# The kernel part and the network devices, by the end to end test of the ordinary build.
captures()
{
	/usr/bin/python3 tests/netns/e2e/e2e.py "$fffa" tc
}

is_carried()
{
	docker/package/build.sh --stage build/portable/stage rpm tar &&
		! rpm -qpR build/package/fffa-0.1.0-1.*.rpm | grep -E 'lib(curl|bpf|rdkafka|ssl|uv)' &&
		tar -tzf build/package/fffa-0.1.0-linux-*.tar.gz | grep '/usr/sbin/fffa$'
}

# reads_as COMMAND...: the sum of the records of all captures.
reads_as()
{
	local capture out=$dir/records

	for capture in tests/data/fuzz/fuzz_pcap/*.pcap; do
		"$@" replay --format json --fields "$fields" --output - "$capture" || true
	done >"$out" 2>/dev/null
	sha256sum <"$out"
	[[ $(wc -l <"$out") -gt 10 ]]
}

# Emulated, it gives what this machine's program gives. An emulator loads no kernel programs.
reads_captures_on_arm64()
{
	local fields='srcaddr dstaddr srcport dstport protocol packets bytes tcp_flags encapsulated' here there

	here=$(reads_as "$fffa") && there=$(reads_as qemu-aarch64-static -L build/arm64/system build/arm64/agent/fffa) &&
		echo "$here $there" && [[ $here == "$there" ]]
}

main()
{
	need_tools portable objdump openssl flex bison
	grep -q bookworm /etc/os-release || skip 'only Debian 12 builds it'
	check build docker/portable/build.sh
	[[ $failed -eq 0 ]] || finish
	check 'the C library alone' needs_the_c_library_alone
	check 'no symbol above glibc 2.34' needs_no_newer_symbol
	check 'a root with nothing else' make_root
	check 'runs there' runs_there
	check "the host's CA certificates" trusts_the_hosts_certificates
	check Kafka speaks_kafka
	check captures captures
	if command -v rpmbuild >/dev/null; then
		check 'rpm and tar' is_carried
	else
		skip_one 'rpm and tar' 'no rpmbuild (docker/install-deps.sh packages)'
	fi
	if command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64-static >/dev/null; then
		check 'cross build for arm64' docker/portable/arm64.sh
		check 'arm64 reads captures as this machine does' reads_captures_on_arm64
	else
		skip_one arm64 'no cross compiler or no emulator (docker/install-deps.sh arm64)'
	fi
	finish
}

trap interrupted INT TERM
main
