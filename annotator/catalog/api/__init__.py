"""The REST views of the catalog."""
