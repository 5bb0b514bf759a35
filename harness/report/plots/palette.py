"""Colours by meaning: the same thing has the same colour in every figure, in light and in dark.

The hues are Okabe and Ito's (https://jfly.uni-koeln.de/color/), which people with any common colour blindness can
distinguish; the three percentiles of one thing are three strengths of its hue. Each colour is a CSS variable on the
page; the figure files use its light value.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour:
    """``name`` is the CSS variable without its dashes. Light values stand on white, dark ones on #161b22."""

    name: str
    light: str
    dark: str


INK = Colour(name="figure-ink", light="#2b3138", dark="#d5dbe3")
MUTED = Colour(name="figure-muted", light="#626b76", dark="#97a1ad")
GRID = Colour(name="figure-grid", light="#e3e6ea", dark="#2d343d")
SHADE = Colour(name="figure-shade", light="#f1f3f5", dark="#20262e")
OUTAGE = Colour(name="figure-outage", light="#fdf1ef", dark="#331d20")
LIMIT = Colour(name="figure-limit", light="#b3261e", dark="#ff8a80")

DELIVERY = (
    Colour(name="delivery-1", light="#5599cf", dark="#3f6f93"),
    Colour(name="delivery-2", light="#2f7fb8", dark="#4d9fd6"),
    Colour(name="delivery-3", light="#00466f", dark="#9ad0f5"),
)
COMPLETION = (
    Colour(name="completion-1", light="#c979a5", dark="#8a5a7e"),
    Colour(name="completion-2", light="#a84d83", dark="#b9709a"),
    Colour(name="completion-3", light="#6d1f4d", dark="#eeb0d2"),
)
RECOVERED = (
    Colour(name="recovered-1", light="#3f9c7e", dark="#2f7f66"),
    Colour(name="recovered-2", light="#1d7a5e", dark="#52b898"),
    Colour(name="recovered-3", light="#00452f", dark="#a9e8d2"),
)
ACKNOWLEDGEMENT = (
    Colour(name="acknowledgement-1", light="#b0832c", dark="#8a6c2e"),
    Colour(name="acknowledgement-2", light="#8f6817", dark="#c49a48"),
    Colour(name="acknowledgement-3", light="#523900", dark="#f2d79b"),
)
MESSAGES = Colour(name="messages", light="#8a6100", dark="#e3b341")
SERVERS = Colour(name="servers", light="#0072b2", dark="#62b1e5")
BROKER = Colour(name="broker", light="#d55e00", dark="#ff9147")
DATABASE = Colour(name="database", light="#00795a", dark="#36c79d")
LOAD = Colour(name="load", light="#b0649a", dark="#d893c4")
MACHINE = Colour(name="machine", light="#4a5058", dark="#b9c0c9")
OTHERS = (
    Colour(name="other-1", light="#7a5195", dark="#b996d6"),
    Colour(name="other-2", light="#a07400", dark="#d9b44a"),
    Colour(name="other-3", light="#3c7d9c", dark="#7fc0de"),
)

ALL = (
    INK,
    MUTED,
    GRID,
    SHADE,
    OUTAGE,
    LIMIT,
    *DELIVERY,
    *COMPLETION,
    *RECOVERED,
    *ACKNOWLEDGEMENT,
    MESSAGES,
    SERVERS,
    BROKER,
    DATABASE,
    LOAD,
    MACHINE,
    *OTHERS,
)
_FAMILIES = (
    (("server",), SERVERS),
    (("broker", "input", "output", "commands"), BROKER),
    (("database", "commits", "wal", "rollbacks"), DATABASE),
    (("worker",), LOAD),
    (("harness",), MUTED),
    (("machine", "steal", "busy"), MACHINE),
    (("deliveries", "delivery", "delivered"), DELIVERY[1]),
    (("completion",), COMPLETION[1]),
    (("messages", "posted", "posts", "sent", "publisher"), MESSAGES),
)
_STRENGTHS = ("p50", "p95", "p99")
_HUES = {"completion": COMPLETION, "recovered_latency": RECOVERED, "acknowledgement": ACKNOWLEDGEMENT}


def colour(series: str, line: str, index: int) -> Colour:
    """The colour of ``line``, the ``index``-th of figure ``series``."""
    word = line.lower()
    if word in _STRENGTHS:
        return _HUES.get(series, DELIVERY)[_STRENGTHS.index(word)]
    for starts, found in _FAMILIES:
        if word.startswith(starts):
            return found
    return OTHERS[index % len(OTHERS)]
