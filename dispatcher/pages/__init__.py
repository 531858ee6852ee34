"""Parts that the rooms for people share: layout, style sheet, texts, cookies, forms. Knows none of the rooms."""
