"""Function: an archive with code and a Dockerfile, with typed inputs and outputs."""
