"""Figures as people read them: tables, HTML and charts, in bokmål, nynorsk and English."""
