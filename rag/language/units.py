"""Units of measurement, by their symbols and their names: "µg", "μg" and "micrograms" are one.

Symbols of the SI with its prefixes, and what is counted in besides: percent, multiples, spans of time.
"""

from __future__ import annotations

SPANS = ("second", "minute", "hour", "day", "week", "month", "year")
_UNITS = {
    "%": "%", "percent": "%", "x": "times", "×": "times", "times": "times", "fold": "times",
    **{f"{unit}{s}": unit for unit in SPANS for s in ("", "s")},
    **{unit: unit for unit in ("kb", "mb", "gb", "tb", "ms", "mm", "cm", "km", "kg", "°")},
    "hz": "Hz", "khz": "kHz", "mhz": "MHz", "ghz": "GHz",
    **{short + s: unit for short, unit in (
        ("sec", "second"), ("min", "minute"), ("hr", "hour"), ("wk", "week"), ("mo", "month"), ("yr", "year"),
    ) for s in ("", "s")},
}  # fmt: skip
_PREFIXES = {
    "": "", "k": "kilo", "M": "mega", "G": "giga", "T": "tera", "d": "deci", "c": "centi", "m": "milli", "μ": "micro",
    "n": "nano", "p": "pico",
}  # fmt: skip
_BASES = {
    "m": ("metre", "meter"), "g": ("gram", "gramme"), "l": ("litre", "liter"), "s": ("second",), "mol": ("mole",),
    "A": ("ampere", "amp"), "K": ("kelvin",), "M": ("molar",), "N": ("newton",), "Pa": ("pascal",), "J": ("joule",),
    "W": ("watt",), "V": ("volt",), "Hz": ("hertz",), "eV": ("electronvolt",), "T": ("tesla",), "Ω": ("ohm",),
    "Gy": ("gray",), "Sv": ("sievert",), "Da": ("dalton",), "cal": ("calorie",),
}  # fmt: skip
_SYMBOLS = {
    **{f"{prefix}{base}": f"{prefix}{base}" for prefix in _PREFIXES for base in _BASES},
    **{f"{prefix}L": f"{prefix}l" for prefix in _PREFIXES},
    "s": "second", "h": "hour", "d": "day", "mmHg": "mmHg",
}  # fmt: skip
"""Units by their symbol, in which case tells one from another: "mM" is no "mm"."""
_NAMED = {
    f"{named}{name}{s}": _SYMBOLS[f"{prefix}{base}"]
    for prefix, named in _PREFIXES.items()
    for base, names in _BASES.items()
    for name in names
    for s in ("", "s")
}


def unit_of(written: str, *, is_letter: bool) -> str:
    """The unit that a symbol or a name stands for; "" where it is none.

    `is_letter`: whether a single letter can be one: in "3 V" it can, in "GPT-4V" it cannot.
    """
    written = written.replace("µ", "μ").replace(" ", "")  # the sign and the letter; "mm Hg"
    symbol = _SYMBOLS.get(written, "") if is_letter or len(written) > 1 else ""
    return symbol or _UNITS.get(written.casefold(), "") or _NAMED.get(written.casefold(), "")
