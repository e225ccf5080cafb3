"""The suggestions over HTTP: :mod:`.captures` for people, :mod:`.machine` for machines."""
