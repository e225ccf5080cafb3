"""The REST API of review: the list of disputes, the desk, the list of tasks, feedback."""
