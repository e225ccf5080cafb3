"""Look-alikes: embedding, local features, nearest neighbours, and what a site has taught us."""
