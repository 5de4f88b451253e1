"""The page in one file: what a notebook glued is text there, whatever it holds."""

import subprocess
import sys

import nbformat

from tokenecon_book.build import standalone


def glued(**values):
    """A notebook whose one cell glued these values, as papermill leaves them."""
    outputs = [nbformat.v4.new_output("display_data", data={"text/plain": repr(value)}, metadata={"scrapbook": {"name": name}})
               for name, value in values.items()]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=outputs)])


def test_a_glued_text_is_shown_as_it_is():
    found = standalone.glue(glued(name="<script>alert('1')</script> *a* & $x$ `b` {c}", share=0.256))
    page = standalone.prose("It is {glue:text}`name`, {glue:text}`share:.1f` **today**.", found)
    assert "<script>" not in page and "<em>" not in page and "<math" not in page
    assert "It is &lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt; *a* &amp; $x$ `b` {c}, 0.3" in page
    assert "<strong>today</strong>" in page


def test_quotes_in_a_glued_text_are_those_of_the_text():
    assert standalone.glue(glued(a="it's \"so\"", b="1"))["a"] == "it's \"so\""


def test_a_rerun_loads_no_library_that_it_does_not_need():
    code = ("from tokenecon_book.build import kernel, notebooks, rerun, standalone\n"
            "standalone.prose('# A *title*', {})\n"
            "import sys\n"
            "print({'lark', 'nbconvert', 'pandas'} & {*sys.modules})")
    code = f"from tokenecon_book.build import notebooks\nnotebooks.skip_grammar()\n{code}"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
