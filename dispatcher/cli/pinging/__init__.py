"""``dispatcher ping`` and its report."""
