"""`ccship backfill`: the plan, several processes, the report."""
