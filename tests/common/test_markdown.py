"""Descriptions as dataset cards are written: what is kept of them, and what never acts."""

import re

import pytest

from assets.common.pages.front_matter import MAX_BRACKETS, MAX_LENGTH, MAX_LINES
from assets.common.pages.markdown import markdown

LINK = 'rel="noopener noreferrer nofollow"'

SHOWN = {
    "a comment": ("a <!-- not b --> c", "<p>a  c</p>"),
    "a comment of paragraphs": ("a\n\n<!--\nb\n\nc -->\n\nd", "<p>a</p>\n\n<p>d</p>"),
    "a comment without an end": ("a <!-- b", "<p>a &lt;!-- b</p>"),
    "line breaks": ("|a|\n|-|\n|b<br>c<BR/>d|", "<td>b<br>c<br>d</td>"),
    "above and below": ("10<sup>9</sup> CO<sub>2</sub>", "10<sup>9</sup> CO<sub>2</sub>"),
    "details": (
        "<details>\n<summary>All</summary>\n\n**a**\n\n</details>",
        "<details>\n<summary>All</summary>\n<p><strong>a</strong></p>\n</details>",
    ),
    "an image": ("![Ages\nof *all*](images/age.png)", "<p>[Image: Ages of all]</p>"),
    "an image as HTML": ("<img src=x alt='A &amp; b' onerror=y>", "[Image: A &amp; b]"),
    "an image without words": ("![](x.png)", "<p></p>"),
    "tasks": (
        "- [x] a\n- [ ] b\n- c",
        '<li class="task-list-item">☑ a</li>\n<li class="task-list-item">☐ b</li>\n<li>c</li>',
    ),
    "an alert": (
        "> [!WARNING]\n> Mind it",
        '<div class="markdown-alert markdown-alert-warning">\n'
        '<p class="markdown-alert-title">Warning</p>\n<p>Mind it</p>\n</div>',
    ),
    "a footnote": (
        "a[^x]\n\n[^x]: b",
        f'<p>a<sup><a href="#prose-fn1" id="prose-fnref1" {LINK}>[1]</a></sup></p>\n'
        '<section class="footnotes"><ol><li id="prose-fn1" class=""><p>b '
        f'<a href="#prose-fnref1" {LINK}>↩︎</a></p>',
    ),
    "sides of columns": ("|a|b|\n|:-:|-:|\n|1|2|", '<td class="text-center">1</td>'),
    "a tag that is none": ("<patient id> *a*", "<p>&lt;patient id&gt; <em>a</em></p>"),
    "less than": ("p < 0.05 & <b>b</b>", "p &lt; 0.05 &amp; <b>b</b>"),
    "a heading as HTML": ('<h2 id="a" style="color:red">A</h2>', '<h4 id="prose-a">A</h4>'),
    "lines of Windows": (
        "---\r\na: b\r\n---\r\n# A\r\n",
        "<td>b</td></tr></tbody></table></div><h3",
    ),
}

LINKS = {
    "a heading": ("# Été, `b`!\n\n[x](#été-b)", "#prose-%C3%A9t%C3%A9-b", "prose-été-b"),
    "whatever its letters": (
        "# Code Book\n\n[x](#Code-Book)",
        "#prose-code-book",
        "prose-code-book",
    ),
    "the second of a name": ("# A\n# A\n\n[x](#a-1)", "#prose-a-1", "prose-a-1"),
    "a name": ('<a name="Here"></a>\n\n[x](#Here)', "#prose-Here", "prose-Here"),
    "no letters": ("# ???\n\n[x](#section)", "#prose-section", "prose-section"),
}

FACTS = {
    "values": ("license: cc-by-4.0\nshared: no", [("license", "cc-by-4.0"), ("shared", "no")]),
    "lists": ("language:\n- fr\n- de\nsize: [a, 1]", [("language", "fr, de"), ("size", "a, 1")]),
    "deeper": (
        "x:\n  - name: é\n    type: <b>",
        [("x", "<pre>- name: é\n  type: &lt;b&gt;</pre>")],
    ),
    "many lines": (
        "x:\n" + "- a: b\n" * (MAX_LINES + 1),
        [
            (
                "x",
                f"<details><summary>{MAX_LINES + 1} lines</summary><pre>"
                + "\n".join(["- a: b"] * (MAX_LINES + 1))
                + "</pre></details>",
            )
        ],
    ),
    "aliases": ("a: &x [1, 2]\nb: *x\nc: [*x, 3]", [("a", "1, 2"), ("b", "*x"), ("c", "*x, 3")]),
    "tags": ("a: !!python/object:os.system x", [("a", "x")]),
    "keys that are no text": ("? [a, b]\n: c\n1: d", [("a, b", "c"), ("1", "d")]),
}

NO_FACTS = {
    "no YAML": "a: [b",
    "a list": "- a\n- b",
    "a text": "a",
    "too long": f"a: {'b' * MAX_LENGTH}",
    "too deep": f"a: {'[' * (MAX_BRACKETS + 1)}",
    "another document": "a: b\n--- c",
}


@pytest.mark.parametrize(("text", "html"), SHOWN.values(), ids=SHOWN)
def test_what_is_shown(text, html):
    assert html in markdown(text)


@pytest.mark.parametrize(("text", "href", "target"), LINKS.values(), ids=LINKS)
def test_links_lead_to(text, href, target):
    html = markdown(text)
    assert f'href="{href}"' in html
    assert html.count(f'id="{target}"') == 1


@pytest.mark.parametrize(
    "target", ["codebook.md", "../x", "/users/", "//e.example/", "?q=a", "javascript:a", "data:a"]
)
def test_other_links_lead_nowhere(target):
    for text in (f"[x](<{target}>)", f'<a href="{target}">x</a>'):
        assert "href=" not in markdown(text)


def test_front_matter_that_is_empty():
    assert markdown("---\n---\n\na") == "<p>a</p>\n"
    assert "<hr>" in markdown("a\n\n---\n\nb")


@pytest.mark.parametrize(("text", "facts"), FACTS.values(), ids=FACTS)
def test_front_matter_is_a_table(text, facts):
    html = markdown(f"---\n{text}\n---\n# Films\n")
    rows = re.findall(r'(?s)<tr><th scope="row">(.*?)</th><td>(.*?)</td></tr>', html)
    assert rows == facts
    assert html.endswith('<h3 id="prose-films">Films</h3>\n')


@pytest.mark.parametrize("text", NO_FACTS.values(), ids=NO_FACTS)
def test_other_front_matter_is_text(text):
    html = markdown(f"---\n{text}\n---\nb")
    assert html.startswith(f'<pre class="code" tabindex="0">{text[:8]}')


def test_no_id_and_class_is_one_of_the_page():
    html = markdown(
        '<p id="main" class="panel">a</p> <b class="tag" id="x">c</b>\n\n'
        '<div class="table-wrap modal" role="alert" tabindex="9" style="top:0" onclick="x">d</div>'
    )
    assert set(re.findall(r'id="([^"]*)"', html)) == {"prose-main", "prose-x"}
    assert set(re.findall(r'class="([^"]*)"', html)) <= {"", "table-wrap"}
    assert not re.search("role|tabindex|style|onclick", html)


def test_what_is_open_ends_with_the_text():
    html = markdown("</div></section></main> <details><b>a")
    assert html.count("</div>") == html.count("<div")
    assert html.rstrip().endswith(("</b></details>", "</p>"))
