"""A Yeastar P-Series PBX as a provider sees it: one that verifies, sends, campaigns, misbehaves and records."""
