"""What is concluded from figures with errors."""

import math

Z = 1.96  # of an interval of 95 %
# About thirty rows are judged: an interval of 95 % is stretched to one of 99.7 %, so that all rows
# agree nine times in ten where nothing is wrong.
STRETCH = 3.0 / Z
TELLS = 0.10  # half the interval over the figure; where it is wider, it tells nothing
WANTED = 0.93  # of intervals of 95 % that hold the truth
AGREES, DIFFERS, UNKNOWN = "agrees", "DIFFERS", "cannot tell"


def within(difference, half, figure):
    """Whether a difference is no more than chance makes it, given half an interval of 95 %."""
    if figure == 0.0 and difference == 0.0 and half == 0.0:
        return AGREES
    if abs(difference) > STRETCH * half:
        return DIFFERS
    return AGREES if figure and half <= TELLS * figure else UNKNOWN


def equal(relative, error, tolerance):
    """Whether a relative difference with this standard error is within a tolerance for sure."""
    if abs(relative) + Z * error <= tolerance:
        return AGREES
    return DIFFERS if abs(relative) - Z * error > tolerance else UNKNOWN


def wilson(hits, of):
    """The interval of a share by Wilson's score."""
    share, scale = hits / of, 1 + Z * Z / of
    middle = (share + Z * Z / (2 * of)) / scale
    half = Z / scale * math.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    return middle - half, middle + half


def covers(hits, of):
    """Whether intervals hold the truth as often as is wanted."""
    if hits / of >= WANTED:
        return AGREES
    return DIFFERS if wilson(hits, of)[1] < WANTED else UNKNOWN
