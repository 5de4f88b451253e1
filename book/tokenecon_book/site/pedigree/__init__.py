"""Where a number comes from: the cards that it opens, and the links that open them."""
