"""``python -m ttsuite``, the same as the command ``ttsuite``."""

import sys

from ttsuite.command.cli import main

if __name__ == "__main__":
    sys.exit(main())
