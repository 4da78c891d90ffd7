"""Numbers in words that don't round the truth away."""


def percent(share: float) -> str:
    """Whole percent; a share that is neither nothing nor all never reads as 0% or 100%."""
    if 0 < share <= 0.005:
        return "<1%"
    if 0.995 <= share < 1:
        return ">99%"
    return f"{share:.0%}"


def counted(number: int, noun: str) -> str:
    """`1 trial`, `2,010 trials`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
