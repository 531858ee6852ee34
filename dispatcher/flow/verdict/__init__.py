"""Judging the deployment: what is seen is collected, judged by ``policy.verdict``, written down and told."""
