"""The REST API of labeling."""
