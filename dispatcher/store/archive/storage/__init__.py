"""Storage of segments: files below a folder, or objects of a bucket, behind one interface."""
