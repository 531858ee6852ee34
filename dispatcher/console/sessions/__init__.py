"""Sessions of whoever is signed in: notes of each, the page that lists them, and ending them."""
