"""The recognizer behind HTTP: two bounded lanes → batches → model processes that may fail."""
