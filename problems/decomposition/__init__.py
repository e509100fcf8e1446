"""Arrays in the formats of tensors: ranks, numbers kept, errors."""
