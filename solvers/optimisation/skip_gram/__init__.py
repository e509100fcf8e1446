"""Skip-gram embeddings with negative sampling, as one matrix problem of fixed rank."""
