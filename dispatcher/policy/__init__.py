"""Pure decisions: retry, answers, signing, addresses, redaction. No I/O; ``now`` is a parameter."""
