"""Anchors of headings and links of references."""

from markupsafe import Markup

from ttsuite.pages.render import linked, sectioned


def test_headings_get_anchors_of_their_own():
    made = sectioned("<h2>Levels</h2><p>x</p><h2>Levels</h2><h2>ν₃ &amp; more</h2><h2>⟨ψ⟩</h2>")
    assert made.contents == [("levels", "Levels"), ("levels-2", "Levels"), ("more", "ν₃ & more"), ("section", "⟨ψ⟩")]
    for name, _ in made.contents:
        assert f'<h2 id="{name}">' in made.body and f'href="#{name}"' in made.body
    assert "<p>x</p>" in made.body


def test_references_lead_to_their_papers():
    doi = linked("Sobol (2001), doi:10.1016/S0378-4754(00)00270-6: indices")
    assert doi == (
        'Sobol (2001), <a href="https://doi.org/10.1016/S0378-4754(00)00270-6">'
        "doi:10.1016/S0378-4754(00)00270-6</a>: indices"
    )
    assert linked("Larsson, arXiv:2504.05382 (2025)").count("https://arxiv.org/abs/2504.05382") == 1
    assert linked("see https://example.org/a.") == 'see <a href="https://example.org/a">https://example.org/a</a>.'


def test_a_reference_cannot_bring_markup():
    text = linked('<b>"A" & B</b> doi:10.1000/x<script>')
    assert isinstance(text, Markup) and "<b>" not in text and "<script>" not in text
