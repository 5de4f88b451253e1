"""A text of a finding, kept in the notebook for its page and for others, with the named quantities that stand in it."""

import re

from IPython.display import display

PREFIX = "application/papermill.record/"  # where MyST-NB and papermill look for what was kept


def glue(key, finding, part=""):
    """Keep the sentence of a finding, or one of its named texts, under a key.

    Parameters
    ----------
    key : str
        Under which ``{glue:text}`` finds it.
    finding : tokenecon.finding.Finding
        Whose text it is.
    part : str
        Name of the text among the finding's values; the sentence where none is given.
    """
    text = finding[part] if part else finding.sentence
    display({PREFIX + "text/plain": repr(text)}, raw=True, metadata={
        "scrapbook": {"name": key, "mime_prefix": PREFIX}, "quantities": written(finding, text)})


def written(finding, text):
    """The named quantities that stand in a text, as dicts; the last digits of a value differ between machines."""
    def rounded(value):
        return None if value is None else float(f"{value:.12g}")

    return [one._asdict() | {"value": rounded(one.value), "case": dict(one.case), "low": rounded(one.low),
                             "high": rounded(one.high)} for one in finding.quantities
            if re.search(rf"(?<![\w.]){re.escape(one.text)}(?!\w|[.,]\d)", text)]
