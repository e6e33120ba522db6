"""Results as tables: Markdown, LaTeX and HTML."""
