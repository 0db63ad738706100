/* SPDX-License-Identifier: MIT */
/*
 * The metadata reader: who this host is in AWS. A value comes from metadata.static, else from
 * IMDSv2, else from the ECS task, else it is unknown. Readers get an immutable snapshot. It never
 * blocks, and the last good values stay when a refresh fails. Loop thread only.
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
 * Whether fffa_meta_open takes this configuration on this host. 0; -EINVAL with err naming the key or
 * the variable of the environment; -ENOMEM. From any thread.
 */
int fffa_meta_check(const struct fffa_metadata_conf *conf, struct fffa_err *err);

/*
 * Starts the metadata reader, which borrows loop and conf for its life. It asks IMDS when
 * imds.enabled is on, or when it is auto and DMI says EC2 or AWS_EC2_METADATA_SERVICE_ENDPOINT is
 * set, and never when AWS_EC2_METADATA_DISABLED is true. 0; -EINVAL with err for a static value
 * or an endpoint that cannot be used; -ENOMEM. On failure nothing is left behind.
 */
int fffa_meta_open(uv_loop_t *loop, const struct fffa_metadata_conf *conf, struct fffa_meta **out,
		   struct fffa_err *err);

#define FFFA_META_DEVICES_MAX 1024

/*
 * Sets the devices that are captured on (copied). They are joined by MAC to what IMDS says. 0;
 * -E2BIG for more than FFFA_META_DEVICES_MAX; -ENOMEM. On failure the devices before stay.
 */
int fffa_meta_set_devices(struct fffa_meta *m, const struct fffa_device *devices, size_t n);

/*
 * Says that the host's addresses changed (netlink). What IMDS says of the interfaces may have
 * changed, too, so it is asked again, at most once in 10 s.
 */
void fffa_meta_addresses_changed(struct fffa_meta *m);

/*
 * Sets what the identity adds to a record: r->ident by r->key.ifindex, r->traffic_path, and the AWS
 * services of its addresses. A device that is not known gets the host's identity and static values
 * alone. The identity is valid until the loop turns.
 */
void fffa_meta_apply(const struct fffa_meta *m, struct fffa_record *r);

/* Adds a record of a flow to the traffic between networks. Call it once for each. */
void fffa_meta_count_traffic(const struct fffa_meta *m, const struct fffa_record *r);

/* True when each source has answered or failed once, and when nothing is asked. */
bool fffa_meta_settled(const struct fffa_meta *m);

/*
 * Calls settled once, as soon as fffa_meta_settled is true, at the latest after max_wait_ns; on the
 * loop, never from inside. A second call replaces the first, and fffa_meta_close drops it.
 */
void fffa_meta_wait(struct fffa_meta *m, uint64_t max_wait_ns, void (*settled)(void *arg),
		    void *arg);

/* The host's identity as it is now; valid until the loop turns. */
const struct fffa_ident_host *fffa_meta_host(const struct fffa_meta *m);

/* The identity of the i-th device, by ifindex; NULL behind the last. Valid until the loop turns. */
const struct fffa_ident *fffa_meta_ident(const struct fffa_meta *m, size_t i);

/*
 * What IMDS says of the i-th interface, captured on or not (agent/enrich/imds/imds_data.h); NULL
 * behind the last. Valid until the loop turns.
 */
const struct fffa_imds_iface *fffa_meta_iface(const struct fffa_meta *m, size_t i);

/*
 * The addresses of Amazon's resolver and of the routers in the VPCs of this host, *n of them, IPv4 in its mapped form.
 * Valid until the loop turns.
 */
const uint8_t (*fffa_meta_resolvers(const struct fffa_meta *m, size_t *n))[16];

/*
 * The rest is for status pages. All calls are cheap; the texts are static or live as long as m.
 *
 * fffa_meta_state:
 *   "off"      IMDS is not asked: not EC2, or turned off
 *   "asking"   no answer and no failure yet
 *   "known"    the last round was answered, and at most two requests have failed since
 *   "failing"  refused, or three failures in a row; what was learned before stays
 */
const char *fffa_meta_state(const struct fffa_meta *m);

/* The base URL of IMDS, without a secret; "" when off. */
const char *fffa_meta_endpoint(const struct fffa_meta *m);

/*
 * How long ago IMDS answered a whole round: the age of what records carry, as in
 * fffa_metadata_age_seconds. UINT64_MAX: never.
 */
uint64_t fffa_meta_age_ns(const struct fffa_meta *m);

/* The reason of the last failure since the last whole round, named as below; "": there was none. */
const char *fffa_meta_last_error(const struct fffa_meta *m);

/*
 * The name of the i-th reason for failed requests, refused values and bad files, as in
 * fffa_metadata_errors_total{reason}, and *count since the start; NULL behind the last. The list is
 * the same whether IMDS is asked or not.
 */
const char *fffa_meta_error(const struct fffa_meta *m, size_t i, uint64_t *count);

/* The traffic between networks, *n series; NULL: there is none. Valid until the loop turns. */
const struct fffa_network_series *fffa_meta_traffic(const struct fffa_meta *m, size_t *n);

/*
 * Replaces *m by one with other settings. The old one stays until the new one has its first answers,
 * 5 s at most. What the new one could not learn by then it takes from the old one, where its
 * settings ask for it at all. A second call replaces the first. 0, or -errno with err; then *m
 * stays. m is borrowed until *m is closed; conf is read now.
 */
int fffa_meta_change(struct fffa_meta **m, uv_loop_t *loop, const struct fffa_metadata_conf *conf,
		     struct fffa_err *err);

/* Asynchronous: drops requests under way, calls closed once on the loop, then frees m. */
void fffa_meta_close(struct fffa_meta *m, void (*closed)(void *arg), void *arg);

#endif
