# SPDX-License-Identifier: MIT
"""What a far end holds against the numbers of the records."""

import collections


def by_epoch(records):
    """epoch -> Counter of seq."""
    found = collections.defaultdict(collections.Counter)
    for r in records:
        found[r["epoch"]][r["seq"]] += 1
    return found


def no_holes(case, records, once=True, begin=True):
    """
    Every number from 1 (or the first one there) to the last is there, but for those that a SKIPDATA record of the
    sink itself stands for: it has the last of them as its own. once: no record twice. Returns by_epoch.
    """
    explained = collections.Counter()
    for r in records:
        explained[r["epoch"]] += max(r.get("lost_records", 0) - 1, 0)
    found = by_epoch(records)
    for epoch, seqs in found.items():
        first = 1 if begin else min(seqs)
        missing = set(range(first, max(seqs) + 1)) - set(seqs)
        case.assertEqual(len(missing), explained[epoch],
                         f"epoch {epoch}: {sorted(missing)[:20]} are missing of {max(seqs)}")
        if once:
            case.assertEqual([s for s, n in seqs.items() if n > 1][:20], [])
    return found
