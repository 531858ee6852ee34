"""Pages for operators to look at: the queue, events, and why one waits. Reads only; needs no script in the browser."""
