"""One module a question: ids in, tidy tables out, intermediates kept."""


def sources(ids):
    """What a figure or table cites: one dict a source, in the order given, each once."""
    from tokenecon import data

    keys = ("id", "title", "publisher", "url", "published", "licence")
    return [{key: data.source(one)[key] for key in keys} for one in dict.fromkeys(ids)]
