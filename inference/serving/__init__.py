"""The recognizer behind HTTP: bounded priority queue → small batches → worker threads."""
