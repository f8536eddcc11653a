"""Code sets as data, and how a code or a text is recognised as a concept of medicine."""
