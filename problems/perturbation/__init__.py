"""One perturbation that changes the class of most inputs of a learner, by the singular vectors of its Jacobians."""
