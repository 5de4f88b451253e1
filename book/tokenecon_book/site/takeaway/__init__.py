"""What a reader takes away from the site: figures on pages of their own, citations, and a feed of its numbers."""
