# SPDX-License-Identifier: MIT
"""Compares the records that a peer has with their sequence numbers."""

import collections


def by_epoch(records):
    """Returns {epoch: Counter of seq}."""
    found = collections.defaultdict(collections.Counter)
    for r in records:
        found[r["epoch"]][r["seq"]] += 1
    return found


def no_holes(case, records, once=True, begin=True):
    """
    Checks that every number from 1 (or the first one there) to the last is there. A SKIPDATA record of the sink
    stands for missing numbers; its own number is the last of them. once: no record comes twice. Returns by_epoch.
    """
    explained = collections.Counter()
    reports = {(r["epoch"], r["seq"]): r["lost_records"] for r in records if r.get("lost_records")}
    for (epoch, _), lost in reports.items():
        explained[epoch] += lost - 1
    found = by_epoch(records)
    for epoch, seqs in found.items():
        first = 1 if begin else min(seqs)
        missing = set(range(first, max(seqs) + 1)) - set(seqs)
        case.assertEqual(len(missing), explained[epoch],
                         f"epoch {epoch}: {sorted(missing)[:20]} are missing of {max(seqs)}")
        if once:
            case.assertEqual([s for s, n in seqs.items() if n > 1][:20], [])
    return found
