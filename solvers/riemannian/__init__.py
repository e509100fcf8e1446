"""Methods on Riemannian manifolds: descent, trains of fixed TT-ranks, completion from samples."""
