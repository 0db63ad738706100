// SPDX-License-Identifier: MIT
#include "agent/capture/replay/replay.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/capture/replay/fragments.h"
#include "agent/capture/replay/frame.h"
#include "agent/capture/replay/tunnels.h"

#define PACKETS_PER_TURN 4096
#define WAIT_MS		 5 /* for room downstream */

struct fffa_replay {
	struct fffa_replay_conf conf;
	struct fffa_replay_events ev;
	struct fffa_ledger *ledger;
	struct fffa_frame_conf frames;
	struct fffa_tunnels *tunnels;
	struct fffa_fragments *fragments;
	pcap_t *pcap;
	size_t next_path;
	uv_idle_t turn;
	uv_timer_t wait;
	int handles;
	uint64_t now_ns;   /* newest timestamp so far */
	uint64_t began_ns; /* first timestamp, and the loop's time then: for pacing */
	uint64_t began_loop_ms;
	const struct pcap_pkthdr *held; /* read but not due yet */
	const u_char *held_bytes;
};

static void on_turn(uv_idle_t *h);

static int open_next(struct fffa_replay *r, struct fffa_err *err)
{
	const char *path = r->conf.paths[r->next_path++];
	char text[PCAP_ERRBUF_SIZE] = "";

	r->pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!r->pcap) {
		/* For a file that cannot be opened, and only then, libpcap names it itself. */
		if (!strncmp(text, path, strlen(path)))
			return fffa_fail(err, EIO, "%s", text);
		return fffa_fail(err, EIO, "%s: %s", path, text);
	}
	r->frames.linktype = pcap_datalink(r->pcap);
	if (!fffa_frame_supports(r->frames.linktype)) {
		const char *name = pcap_datalink_val_to_name(r->frames.linktype);

		(void)fffa_fail(err, ENOTSUP, "%s: link type %s is not supported", path,
				name ? name : "unknown");
		pcap_close(r->pcap);
		r->pcap = NULL;
		return -ENOTSUP;
	}
	return 0;
}

static void finish(struct fffa_replay *r, int error)
{
	(void)uv_idle_stop(&r->turn);
	(void)uv_timer_stop(&r->wait);
	r->ev.ended(r->ev.arg, error);
}

static void count_lost(struct fffa_replay *r, enum fffa_packet_loss why, uint32_t wire_bytes)
{
	uint64_t bytes = wire_bytes > 14 ? wire_bytes - 14 : 0;

	fffa_amount_add(&r->ledger->seen[0], 1, bytes);
	fffa_amount_add(&r->ledger->lost[why], 1, bytes);
}

/* The packet as it is to be recorded. */
static void account(struct fffa_replay *r, struct fffa_packet *p)
{
	struct fffa_delta d = {
		.packets = p->packets,
		.bytes = p->bytes,
		.flags = p->flags,
		.cookie = p->cookie,
		.first_ns = r->now_ns,
		.last_ns = r->now_ns,
	};

	if (!fffa_fragments_apply(r->fragments, p, r->now_ns))
		r->ledger->no_first_fragment++;
	fffa_amount_add(&r->ledger->seen[p->key.view & FFFA_VIEW_EGRESS ? 1 : 0], p->packets,
			p->bytes);
	d.key = p->key;
	r->ev.delta(r->ev.arg, &d);
}

/* The outer packet of a tunnelled one, recorded beside it (capture.tunnel_view both). */
static void take_outer(struct fffa_replay *r, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct fffa_frame_conf closed = r->frames;
	struct fffa_packet p = {0};
	struct fffa_tunnel t;
	bool tunnelled;

	memset(closed.geneve_ports, 0, sizeof(closed.geneve_ports));
	memset(closed.vxlan_ports, 0, sizeof(closed.vxlan_ports));
	if (!fffa_frame_parse(&closed, bytes, h->caplen, h->len, &p, &t, &tunnelled))
		account(r, &p);
}

/* One packet of the capture. */
static void take(struct fffa_replay *r, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct fffa_packet p = {0};
	struct fffa_tunnel t;
	bool tunnelled;
	int dir;

	r->frames.now_ns = r->now_ns;
	switch (fffa_frame_parse(&r->frames, bytes, h->caplen, h->len, &p, &t, &tunnelled)) {
	case FFFA_PARSE_OK:
		break;
	case FFFA_PARSE_NOT_IP:
		r->ledger->not_ip_frames++;
		return;
	case FFFA_PARSE_TRUNCATED:
		count_lost(r, FFFA_PL_TRUNCATED, h->len);
		return;
	default:
		count_lost(r, FFFA_PL_MALFORMED, h->len);
		return;
	}
	dir = p.key.view & FFFA_VIEW_EGRESS ? 1 : 0;
	if (r->conf.capture->direction == (dir ? FFFA_DIR_INGRESS : FFFA_DIR_EGRESS))
		return;
	if (tunnelled) {
		if (r->conf.capture->tunnel_view == FFFA_TUNNEL_VIEW_BOTH)
			take_outer(r, h, bytes);
		p.key.tunnel = fffa_tunnels_intern(r->tunnels, &t);
		if (!p.key.tunnel)
			r->ledger->no_tunnel_id++;
	}
	account(r, &p);
}

static uint64_t packet_ns(const struct pcap_pkthdr *h)
{
	/* Asked for nanoseconds: tv_usec holds them. */
	return (uint64_t)h->ts.tv_sec * FFFA_NS_PER_S + (uint64_t)h->ts.tv_usec;
}

static void on_wait(uv_timer_t *h)
{
	struct fffa_replay *r = h->data;

	(void)uv_idle_start(&r->turn, on_turn);
}

static void wait_ms(struct fffa_replay *r, uint64_t ms)
{
	(void)uv_idle_stop(&r->turn);
	(void)uv_timer_start(&r->wait, on_wait, ms, 0);
}

/* Milliseconds until a packet of time ts is due; 0: now. */
static uint64_t due_in_ms(struct fffa_replay *r, uint64_t ts)
{
	uint64_t due, now = uv_now(r->turn.loop);

	if (r->conf.speed <= 0)
		return 0;
	if (!r->began_ns) {
		r->began_ns = ts;
		r->began_loop_ms = now;
	}
	if (ts <= r->began_ns)
		return 0;
	due = r->began_loop_ms + (uint64_t)((double)(ts - r->began_ns) / 1e6 / r->conf.speed);
	return due > now ? due - now : 0;
}

/* Reads the next packet into held. 1: there is one; 0: the last file has ended; -errno. */
static int next_packet(struct fffa_replay *r)
{
	struct fffa_err err;
	struct pcap_pkthdr *h;
	int n;

	if (r->held)
		return 1;
	for (;;) {
		if (!r->pcap) {
			if (r->next_path == r->conf.path_count)
				return 0;
			n = open_next(r, &err);
			if (n) {
				fffa_error("replay", "%s", err.text);
				return n;
			}
		}
		n = pcap_next_ex(r->pcap, &h, &r->held_bytes);
		if (n == 1) {
			r->held = h;
			return 1;
		}
		if (n == PCAP_ERROR) /* a file cut off in a packet: what was whole has been read */
			fffa_error("replay", "%s: %s", r->conf.paths[r->next_path - 1],
				   pcap_geterr(r->pcap));
		pcap_close(r->pcap);
		r->pcap = NULL;
		if (n == PCAP_ERROR)
			return -EIO;
	}
}

static void on_turn(uv_idle_t *h)
{
	struct fffa_replay *r = h->data;

	if (!r->ev.has_room(r->ev.arg)) {
		wait_ms(r, WAIT_MS);
		return;
	}
	for (int i = 0; i < PACKETS_PER_TURN; i++) {
		int n = next_packet(r);
		uint64_t ts, ms;

		if (n <= 0) {
			finish(r, n);
			return;
		}
		ts = packet_ns(r->held);
		ms = due_in_ms(r, ts);
		if (ms) {
			wait_ms(r, ms);
			return;
		}
		if (ts > r->now_ns)
			r->now_ns = ts;
		r->ev.time(r->ev.arg, r->now_ns);
		take(r, r->held, r->held_bytes);
		r->held = NULL;
	}
}

int fffa_replay_open(uv_loop_t *loop, const struct fffa_replay_conf *conf,
		     struct fffa_ledger *ledger, const struct fffa_replay_events *events,
		     struct fffa_replay **out, struct fffa_err *err)
{
	struct fffa_replay *r = calloc(1, sizeof(*r));
	int rc = 0;

	if (!r)
		return fffa_fail(err, ENOMEM, "no memory");
	r->conf = *conf;
	r->ev = *events;
	r->ledger = ledger;
	fffa_frame_conf_init(&r->frames, conf->capture, conf->local, conf->local_count);
	r->tunnels = fffa_tunnels_new();
	r->fragments = fffa_fragments_new();
	r->frames.fragments = r->fragments;
	if (!r->tunnels || !r->fragments)
		rc = fffa_fail(err, ENOMEM, "no memory");
	else
		rc = open_next(r, err);
	if (rc) {
		fffa_replay_close(r);
		return rc;
	}
	(void)uv_idle_init(loop, &r->turn);
	(void)uv_timer_init(loop, &r->wait);
	r->turn.data = r->wait.data = r;
	r->handles = 2;
	(void)uv_idle_start(&r->turn, on_turn);
	*out = r;
	return 0;
}

const struct fffa_tunnel *fffa_replay_tunnel(const struct fffa_replay *r, uint16_t id)
{
	return fffa_tunnels_get(r->tunnels, id);
}

static void on_stop(uv_timer_t *h)
{
	finish(h->data, 0);
}

void fffa_replay_stop(struct fffa_replay *r)
{
	(void)uv_idle_stop(&r->turn);
	(void)uv_timer_start(&r->wait, on_stop, 0, 0);
}

static void free_replay(struct fffa_replay *r)
{
	if (r->pcap)
		pcap_close(r->pcap);
	fffa_tunnels_free(r->tunnels);
	fffa_fragments_free(r->fragments);
	free(r);
}

static void on_closed(uv_handle_t *h)
{
	struct fffa_replay *r = h->data;

	if (!--r->handles)
		free_replay(r);
}

void fffa_replay_close(struct fffa_replay *r)
{
	if (!r->handles) {
		free_replay(r);
		return;
	}
	uv_close((uv_handle_t *)&r->turn, on_closed);
	uv_close((uv_handle_t *)&r->wait, on_closed);
}

const char *fffa_replay_library(void)
{
	return pcap_lib_version();
}
