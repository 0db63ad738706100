/* SPDX-License-Identifier: MIT */
/* The cases of the contract in which the peer refuses. *state: the struct peer_ops. */
#ifndef FFFA_TESTS_CONTRACT_REFUSAL_CASES_H
#define FFFA_TESTS_CONTRACT_REFUSAL_CASES_H

/* What a person can repair costs no record, and the outcome has the peer's own words. */
void refusal_a_wrong_setting_is_retried(void **state);
/* Nothing is REJECTED as long as nothing tells that these bytes are the reason. */
void refusal_a_refusal_without_a_reason_rejects_nothing(void **state);
/* A sink whose library waits for the peer tells the pipeline why nothing is delivered. */
void refusal_reports_trouble_while_it_waits(void **state);

#endif
