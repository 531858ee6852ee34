"""The format of the archive: events as they are kept, segments of blocks, entries of the manifest. Pure."""
