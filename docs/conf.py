"""Settings of the guide's site; ``python -m sphinx -W docs build/guide`` writes it."""

import re

from pygments.lexers.special import TextLexer

project = "ttsuite"
author = copyright = "the ttsuite authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
autodoc_mock_imports = ["torch"]  # the pages of its layers are made without it
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_ivar = True
myst_heading_anchors = 3
html_theme = "furo"
html_title = "ttsuite"
html_copy_source = False
html_use_index = True
html_show_sourcelink = False

ENTRY = re.compile(r"[*\w][\w, *]* : ")  # of a section of parameters or attributes
SPECIAL = re.compile(r"``[^`]*``|\||\w_(?=\W|$)")  # code, which stays, or what reStructuredText would take
UNDERLINE = re.compile(r"-+")


def plain_formulas(app, what, name, thing, options, lines):
    """Bars and trailing underscores of a formula stand for themselves; text after a list of parameters is text."""
    listed = False
    for i, line in enumerate(lines):
        line = SPECIAL.sub(lambda found: found[0] if "`" in found[0] else found[0][:-1] + "\\" + found[0][-1], line)
        if UNDERLINE.fullmatch(line):
            listed = lines[i - 1] in ("Parameters", "Attributes")
        elif listed and line and not line.startswith(" ") and not lines[i - 1] and not ENTRY.match(line):
            line, listed = f"Notes\n-----\n{line}", False
        lines[i] = line
    lines[:] = "\n".join(lines).split("\n")


def setup(app):
    """Tables of numbers are shown as they are."""
    app.add_lexer("csv", TextLexer)
    app.connect("autodoc-process-docstring", plain_formulas, priority=400)  # before napoleon
