"""The rules: pure and deterministic. No waiting, no clock, no chance that is not seeded.

Read in this order: `outcome` (what a rule may hand back), `scoring` (one write), `contest` (one board being
competed on), `window` (one occurrence of an event), `calendar` (every event over its life).
"""
