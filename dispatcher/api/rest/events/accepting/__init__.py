"""Events are accepted: ours and CloudEvents, one or a batch; a receipt for each."""
