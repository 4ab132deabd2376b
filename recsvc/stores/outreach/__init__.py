"""Campaigns, rosters, pushes and webhooks on their way."""
