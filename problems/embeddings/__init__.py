"""Words as vectors: skip-gram embeddings of texts and of counts of pairs."""
