"""Training on a site, for its admins."""
