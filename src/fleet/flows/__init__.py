"""One use case each, read from top to bottom. A flow neither prints nor reads settings."""
