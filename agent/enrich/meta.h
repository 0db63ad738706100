/* SPDX-License-Identifier: MIT */
/*
 * The host's AWS identity: static values, then IMDSv2, then the ECS task, else unknown. Readers get an immutable
 * snapshot. Never blocks; the last good snapshot is kept when a refresh fails. Loop thread only.
 */
#ifndef FFFA_AGENT_ENRICH_META_H
#define FFFA_AGENT_ENRICH_META_H

#include <uv.h>

#include "agent/base/err.h"
#include "agent/enrich/device.h"
#include "agent/flow/ident.h"
#include "agent/flow/record.h"
#include "config/config.h"

struct fffa_imds_iface;
struct fffa_meta;

/*
 * Starts the metadata reader. Borrows loop and conf for its life. Asks IMDS only when imds.enabled
 * is on, or auto and this is an EC2 host (DMI) or AWS_EC2_METADATA_SERVICE_ENDPOINT is set; never
 * when AWS_EC2_METADATA_DISABLED=true. On failure nothing is left. -EINVAL with err for a static
 * value or an endpoint that cannot be used, -ENOMEM.
 */
int fffa_meta_open(uv_loop_t *loop, const struct fffa_metadata_conf *conf, struct fffa_meta **out,
		   struct fffa_err *err);

#define FFFA_META_DEVICES_MAX 1024

/*
 * Tells which devices are captured on (copied); joins them by MAC to what IMDS says. 0; -E2BIG for
 * more than FFFA_META_DEVICES_MAX, -ENOMEM: the devices told before stay.
 */
int fffa_meta_set_devices(struct fffa_meta *m, const struct fffa_device *devices, size_t n);

/*
 * The host's addresses changed (netlink): asks again soon, as what IMDS says of the interfaces may
 * have changed, too. At most one round each 10 s.
 */
void fffa_meta_addresses_changed(struct fffa_meta *m);

/*
 * Fills r->ident by r->key.ifindex; a device not known gets the host's identity without interface
 * fields (but for the static ones). The pointer is valid until the loop turns. Sets
 * r->traffic_path.
 */
void fffa_meta_apply(const struct fffa_meta *m, struct fffa_record *r);

/* True when the first answer is in, the reader has given up for now, or nothing is asked. */
bool fffa_meta_settled(const struct fffa_meta *m);

/*
 * Calls settled once, on the loop and never from inside: at the first answer or failure, at most
 * max_wait_ns later. One wait at a time (a second call takes the place of the first); a wait that
 * close overtakes is dropped.
 */
void fffa_meta_wait(struct fffa_meta *m, uint64_t max_wait_ns, void (*settled)(void *arg),
		    void *arg);

/* The host's identity as it is now; valid until the loop turns. */
const struct fffa_ident_host *fffa_meta_host(const struct fffa_meta *m);

/* The identity of the i-th device by ifindex; NULL ends the list. Valid until the loop turns. */
const struct fffa_ident *fffa_meta_ident(const struct fffa_meta *m, size_t i);

/* What IMDS says of the i-th interface (agent/enrich/imds/imds_data.h), captured on or not; NULL ends the
 * list. Valid until the loop turns. */
const struct fffa_imds_iface *fffa_meta_iface(const struct fffa_meta *m, size_t i);

/* Addresses of Amazon's resolver in the VPCs of this host, IPv4 in its mapped form: *n of them.
 * Valid until the loop turns. */
const uint8_t (*fffa_meta_resolvers(const struct fffa_meta *m, size_t *n))[16];

/*
 * For a status page. All are cheap and never block; the texts are static or live as long as m.
 *
 * fffa_meta_state: "off" (IMDS is not asked: not EC2, or turned off), "asking" (no answer and no
 * failure yet), "known" (the last round was answered; between rounds and after one or two failures,
 * too), "failing" (refused, or three failures in a row; what was learned before is kept).
 */
const char *fffa_meta_state(const struct fffa_meta *m);

/* Where IMDS is asked: its base URL, without a secret; "" when off. */
const char *fffa_meta_endpoint(const struct fffa_meta *m);

/* Nanoseconds since IMDS last answered a whole round (fffa_metadata_age_seconds): the age of what
 * records carry. UINT64_MAX: never. */
uint64_t fffa_meta_age_ns(const struct fffa_meta *m);

/* Reason of the failure since the last whole round, a name as below; "": there was none. */
const char *fffa_meta_last_error(const struct fffa_meta *m);

/*
 * Name of the i-th reason for failed requests and refused values
 * (fffa_metadata_errors_total{reason}), and how often it was met since the start; NULL ends the
 * list, which is the same whether IMDS is asked or not.
 */
const char *fffa_meta_error(const struct fffa_meta *m, size_t i, uint64_t *count);

/* Asynchronous: closed is called once on the loop, then m is freed. Requests under way are dropped.
 */
void fffa_meta_close(struct fffa_meta *m, void (*closed)(void *arg), void *arg);

#endif
