"""Lets tests in any folder import the helpers that lie beside this file, and keeps BLAS to one thread, as runs do.

Two threads on small matrices are slower than one, and many times so when tests run side by side.
"""

import os
import sys
from pathlib import Path

for library in ("OPENBLAS", "MKL", "OMP"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))
