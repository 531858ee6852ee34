"""Who is signed in: what is noted of each session, the page that lists them, and ending them."""
