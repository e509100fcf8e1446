"""Settings of the guide's site; ``python -m sphinx -W docs build/guide`` writes it."""

from pygments.lexers.special import TextLexer

project = "ttsuite"
author = copyright = "the ttsuite authors"
extensions = ["myst_parser"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "ttsuite"
html_copy_source = False
html_use_index = False
html_show_sourcelink = False


def setup(app):
    """Tables of numbers are shown as they are."""
    app.add_lexer("csv", TextLexer)
