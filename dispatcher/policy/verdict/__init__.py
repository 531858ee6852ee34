"""The verdict: one pure function from what is seen to what needs somebody. Reads no clock and no store."""

from dispatcher.policy.verdict.judging import acknowledged, away, narrowed, verdict

__all__ = ["acknowledged", "away", "narrowed", "verdict"]
