"""The fault matrix: every fault gives its outcome, the hook exits with 0 and says nothing, the books balance."""
