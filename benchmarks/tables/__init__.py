"""A comparison as text: CSV for programs, Markdown for readers, LaTeX for papers."""
