"""How long something took, as text."""

from datetime import timedelta


def units_of(span: timedelta) -> list[str]:
    """Return a span in days, hours, minutes and seconds, from the largest unit that it has."""
    minutes, seconds = divmod(max(0, int(span / timedelta(seconds=1))), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = [f"{days} d" if days else "", f"{hours} h" if days or hours else ""]
    units += [f"{minutes} min" if days or hours or minutes else "", f"{seconds} s"]
    return [unit for unit in units if unit]


def short_duration(microseconds: int) -> str:
    """Return a duration, such as "340 ms", "1.2 s" or "2 min 5 s"."""
    if microseconds < 1000:
        return "< 1 ms" if microseconds else "0 ms"
    if microseconds < 999_500:
        return f"{microseconds / 1000:.0f} ms"
    if microseconds < 59_950_000:
        return f"{microseconds / 10**6:.1f} s"
    return " ".join(units_of(timedelta(microseconds=microseconds))[:2])
