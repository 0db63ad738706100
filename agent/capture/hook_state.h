/* SPDX-License-Identifier: MIT */
/*
 * Judges one hook from what the kernel says of it, how many packets its device counted, and how
 * many it counted itself. Pure: the caller passes the facts and the time.
 */
#ifndef FFFA_AGENT_CAPTURE_HOOK_STATE_H
#define FFFA_AGENT_CAPTURE_HOOK_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/ledger.h"
#include "agent/capture/kernel/chain.h"

/* A hook is put back this often within the time below: two agents must not fight for a place. */
#define FFFA_HOOK_PUT_BACKS   3
#define FFFA_HOOK_PUT_BACKS_S 600
/* A hook that counted nothing while its device counted so many in two checks is blind. */
#define FFFA_HOOK_BLIND_PACKETS 100

enum fffa_hook_condition {
	FFFA_HOOK_UP,
	FFFA_HOOK_OFF,	  /* the program is not attached */
	FFFA_HOOK_BEHIND, /* another program stands in front */
	FFFA_HOOK_BLIND	  /* attached, and counts nothing of what the device counts */
};

/* All zero: attached, and nothing known of the device. */
struct fffa_hook_state {
	enum fffa_hook_condition condition;
	char problem[200];     /* says what is wrong; "" while UP */
	uint64_t put_backs;    /* since the start */
	unsigned int attempts; /* within the time that began at attempts_ns */
	uint64_t attempts_ns;
	bool missed;		    /* the last check found it not counting, or put it back */
	bool again;		    /* exchanged for another one since the last check */
	bool dev_known;		    /* dev holds counters */
	struct fffa_amount dev;	    /* the device's counters at the last check, whole frames */
	struct fffa_amount counted; /* by the hook at the last check */
	/* Of the time in which the hook is not up: */
	struct fffa_amount passed;   /* the device */
	struct fffa_amount hooked;   /* what the hook counted, and packets that no flow has */
	struct fffa_amount reported; /* counted as lost already */
	/* Of the time before, the last checks more than others. A device may count super-packets: */
	struct fffa_amount up_passed, up_hooked; /* the device, and the hook */
	/* Of the last check: */
	bool silent; /* the hook counted nothing; then these two count: */
	struct fffa_amount silent_passed;
	uint64_t silent_others;
};

/* What one check found. */
struct fffa_hook_facts_now {
	enum fffa_place place;	     /* before it was put back */
	struct fffa_chain_head head; /* who stands in front, or in its place */
	struct fffa_chain_head xdp;  /* the XDP program of the device */
	bool put_back;		     /* it was put back and stands first now */
	const char *error;	     /* why it could not be put back; "": not tried, or done */
	bool dev_known;
	struct fffa_amount dev;	    /* after it was put back */
	struct fffa_amount counted; /* by the hook, since the start */
	uint64_t others; /* packets since the last check that are in no flow, of all hooks */
	uint32_t link_header_bytes;
};

/* True when the hook may be put back now. */
bool fffa_hook_state_may_put_back(const struct fffa_hook_state *s, uint64_t now_ns);
/* Notes that it was tried, with or without success. */
void fffa_hook_state_note_attempt(struct fffa_hook_state *s, uint64_t now_ns);

/*
 * Takes over what a check found. where: "eth0 ingress", for the text of the problem. Returns what
 * passed uncounted and was not reported before.
 */
struct fffa_amount fffa_hook_state_judge(struct fffa_hook_state *s, const char *where,
					 const struct fffa_hook_facts_now *now);

#endif
