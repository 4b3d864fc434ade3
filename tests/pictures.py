"""What a PDF looks like."""

from collections import Counter
from pathlib import Path

import pypdfium2


def colours_of(pdf: Path) -> Counter[str]:
    """How many points have which colour, on all pages; as in a style sheet."""
    found: Counter[str] = Counter()
    document = pypdfium2.PdfDocument(str(pdf))
    try:
        for page in document:
            image = page.render(scale=3).to_pil().convert("RGB")
            for count, (red, green, blue) in image.getcolors(2**24):
                found[f"#{red:02x}{green:02x}{blue:02x}"] += count
    finally:
        document.close()
    return found
