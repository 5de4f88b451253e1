"""What is worked out once from some facts, for as long as the page stands open: most changes leave most of it as it is."""

PLACE = "kept"  # among the facts, so that other facts know nothing of it
MOST = 400  # results: about those of ten changes over all accelerators


def kept(facts, key, make):
    """The result of ``make`` for a key that has all that it depends on besides the facts."""
    known = facts.setdefault(PLACE, {})
    if key not in known:
        if len(known) >= MOST:
            known.clear()
        known[key] = make()
    return known[key]
