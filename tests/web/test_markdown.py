"""Cards are shown as an EHR would show them, and words of a record stay words."""

import pytest

from cards.markdown import escaped
from cds_service.web.markdown import render


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("one\n\ntwo", "<p>one</p>\n<p>two</p>"),
        ("one\ntwo", "<p>one\ntwo</p>"),
        ("one\r\n\r\ntwo", "<p>one</p>\n<p>two</p>"),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("* a", "<ul><li>a</li></ul>"),
        ("head\n- a", "<p>head</p>\n<ul><li>a</li></ul>"),
        ("- a\n\ntail", "<ul><li>a</li></ul>\n<p>tail</p>"),
        ("**bold** and **more**", "<p><strong>bold</strong> and <strong>more</strong></p>"),
        ("a * b", "<p>a * b</p>"),
        ("2**3", "<p>2**3</p>"),
        ("[x](https://a.example/b?c=1)", '<p><a href="https://a.example/b?c=1" rel="noreferrer">x</a></p>'),
        (r"\*\*not bold\*\*", "<p>**not bold**</p>"),
        (r"\- no item", "<p>- no item</p>"),
        (r"\[x\](https://a.example)", "<p>[x](https://a.example)</p>"),
        (r"a\\b", "<p>a\\b</p>"),
        ("&lt;b&gt; &amp; c", "<p>&lt;b&gt; &amp; c</p>"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
        (r"\<b>", "<p>&lt;b&gt;</p>"),
        ("# no heading", "<p># no heading</p>"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert render(text) == shown


@pytest.mark.parametrize(
    "hostile",
    [
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,1)",
        '[x](https://a.example/"onmouseover="alert(1))',
        "[x](https://a.example/'><script>)",
        "**<script>**",
        "&lt;script&gt;",
        "\\<script\\>",
        "\ue03cscript\ue03e",
        "[<b>](https://a.example/<b>)",
    ],
)
def test_nothing_hostile_becomes_markup(hostile: str) -> None:
    shown = str(render(hostile))
    tags = ("<p>", "</p>", "<strong>", "</strong>", "</a>")
    for tag in tags:
        shown = shown.replace(tag, "")
    assert "<" not in shown.replace('<a href="https://a.example/', "")
    assert 'href="javascript' not in shown
    assert '"onmouseover' not in shown


@pytest.mark.parametrize("words", ["**x** <b> & [y](https://z.example)", "a_b*c`d`", "1. x - y # z", "\\ &lt; ~~"])
def test_words_of_a_record_arrive_as_they_were(words: str) -> None:
    import html  # noqa: PLC0415

    assert html.unescape(render(escaped(words))) == f"<p>{words}</p>"
