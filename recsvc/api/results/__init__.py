"""The page that tells finance what a campaign earned."""
