"""Learning from a table or from small images, beside plain methods on the same splits."""
