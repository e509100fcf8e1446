"""Cross approximation: trains learnt from few entries or few solves."""
