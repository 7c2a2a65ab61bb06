"""Drawings in HTML for notebooks, by hand: networks, curves and bars as inline SVG, every text escaped.

Ink is the colour of the text around, so that a drawing suits a light page and a dark one. Positive is blue and negative
orange, which the colour-blind tell apart too.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonet.types import FloatArray, IntArray

POSITIVE, NEGATIVE = "#2f7fc1", "#d55e00"
_COLOURS = (POSITIVE, NEGATIVE, "#8a8a8a")
_MOST_NEURONS = 24  # of a layer
_STEP, _MARGIN = 26, 20
_CELL = 'style="text-align:left;padding:1px 12px 1px 0"'
_LETTER = 6.6  # pixels, at most, of a letter 11 pixels high


def page_part(title: str, *parts: str) -> str:
    """A titled part of a page; the parts are HTML already, the title is not."""
    body = "".join(f'<div style="margin:.4em 0;overflow-x:auto">{part}</div>' for part in parts if part)
    return f'<div style="font-family:sans-serif;font-size:13px"><strong>{html.escape(title)}</strong>{body}</div>'


def paragraph(text: str) -> str:
    """A text as HTML."""
    return f"<div>{html.escape(text)}</div>"


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table as HTML."""
    head = "".join(f"<th {_CELL}>{html.escape(text)}</th>" for text in heads)
    cells = (f"<td {_CELL}>{html.escape(str(cell))}</td>" for row in rows for cell in row)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*[cells] * len(heads), strict=True))
    return f'<table style="color:inherit;font-size:inherit"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def network_svg(blocks: Mapping[str, FloatArray], inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> str:
    """A network of three layers: weights as lines, the wider the stronger; biases as the neurons' colours.

    Of a layer with many neurons the 24 with the strongest connections are drawn, in their order. What a recurrent
    hidden layer sees of itself stands beside as a map.

    Args:
        blocks: weights and biases by name, as `Architecture.views` gives them.
        inputs: names, by default numbers.
        outputs: likewise.
    """
    into, out = _finite(blocks["input_hidden_weights"]), _finite(blocks["hidden_output_weights"])
    sizes = (into.shape[0], into.shape[1], out.shape[1])
    strengths = (np.abs(into).sum(1), np.abs(into).sum(0) + np.abs(out).sum(1), np.abs(out).sum(0))
    shown = [np.sort(np.argsort(-strength, kind="stable")[:_MOST_NEURONS]) for strength in strengths]
    names = (
        list(inputs) or [f"input {i}" for i in range(sizes[0])],
        [f"hidden {i}" for i in range(sizes[1])],
        list(outputs) or [f"output {i}" for i in range(sizes[2])],
    )
    margins = [10 + _LETTER * max(len(names[layer][i]) for i in shown[layer]) for layer in (0, 2)]
    columns = (margins[0], margins[0] + 150, margins[0] + 300)
    height = 2 * _MARGIN + _STEP * (max(map(len, shown)) - 1)
    places = [
        {int(i): (x, height / 2 + _STEP * (place - (len(layer) - 1) / 2)) for place, i in enumerate(layer)}
        for x, layer in zip(columns, shown, strict=True)
    ]
    largest = max(np.abs(into).max(), np.abs(out).max(), 1e-12)
    parts = [
        *_edges(into, places[:2], names[:2], largest),
        *_edges(out, places[1:], names[1:], largest),
        *_neurons(places[0], names[0], None, "end"),
        *_neurons(places[1], names[1], blocks.get("hidden_bias"), None),
        *_neurons(places[2], names[2], blocks.get("output_bias"), "start"),
    ]
    hidden = [f"{size - len(layer)} of {size}" for size, layer in zip(sizes, shown, strict=True) if size > len(layer)]
    note = paragraph(f"not drawn, the weakest: {', '.join(hidden)} neurons") if hidden else ""
    label = f"network with {sizes[0]} inputs, {sizes[1]} hidden neurons and {sizes[2]} outputs"
    drawing = _svg(columns[2] + margins[1], height, label, parts)
    if "hidden_hidden_weights" in blocks:
        drawing += _map_svg(_finite(blocks["hidden_hidden_weights"]), shown[1], names[1])
    return drawing + note


def curves_svg(series: Mapping[str, NDArray[Any]], axis: str, width: int = 460, height: int = 170) -> str:
    """Curves over a common axis that counts from 0, the first on top, each with its name; at most three.

    Args:
        series: values by name, `(points,)` each; NaN where there is none.
        axis: what is counted.
        width: pixels.
        height: likewise.
    """
    curves = {name: np.asarray(values, dtype=np.float64) for name, values in series.items()}
    known = np.concatenate([values[np.isfinite(values)] for values in curves.values()] or [np.empty(0)])
    if not known.size:
        return paragraph("no values yet")
    low, high, last = float(known.min()), float(known.max()), max(len(values) for values in curves.values()) - 1
    left = 14 + _LETTER * max(len(f"{bound:.4g}") for bound in (low, high))
    x_scale, y_scale = (width - left - 10) / max(last, 1), (height - 50) / ((high - low) or 1.0)
    parts = [
        f'<path d="M{left:.1f} 8V{height - 34}H{width - 6}" fill="none" stroke="currentColor" stroke-opacity=".4"/>',
        _text(left - 5, 14, f"{high:.4g}", "end"),
        _text(left - 5, height - 34, f"{low:.4g}", "end"),
        _text(left, height - 20, "0", "middle"),
        _text(width - 6, height - 20, f"{axis} {last}", "end"),
    ]
    for (name, values), colour in reversed(list(zip(curves.items(), _COLOURS, strict=False))):
        points = [
            f"{left + i * x_scale:.1f},{height - 42 - (values[i] - low) * y_scale:.1f}"
            for i in _thinned(len(values))
            if np.isfinite(values[i])
        ]
        parts.append(
            f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="1.8">'
            f"<title>{html.escape(name)}</title></polyline>"
        )
        parts += [
            f'<circle cx="{p.split(",")[0]}" cy="{p.split(",")[1]}" r="2.5" fill="{colour}"/>' for p in points[-1:]
        ]
    x = left
    for name, colour in zip(curves, _COLOURS, strict=False):
        parts += [f'<rect x="{x:.1f}" y="{height - 12}" width="10" height="4" fill="{colour}"/>']
        parts += [_text(x + 14, height - 6, name, "start")]
        x += 30 + _LETTER * len(name)
    return _svg(width, height, f"{', '.join(curves)} over {axis}", parts)


def bars_svg(counts: Sequence[int], low: float, high: float, what: str, width: int = 300, height: int = 90) -> str:
    """A histogram: counts in stretches of equal width from `low` to `high`.

    Args:
        counts: of each stretch.
        low: where the first begins.
        high: where the last ends.
        what: is counted.
        width: pixels.
        height: likewise.
    """
    step, scale = width / len(counts), (height - 20) / max([*counts, 1])
    edges = np.linspace(low, high, len(counts) + 1)
    parts = [
        f'<rect x="{i * step:.1f}" y="{height - 18 - count * scale:.1f}" width="{step - 1:.1f}" '
        f'height="{count * scale:.1f}" fill="{POSITIVE}"><title>{edges[i]:.5g} to {edges[i + 1]:.5g}: {count}</title>'
        "</rect>"
        for i, count in enumerate(counts)
        if count
    ]
    ends = [_text(0, height - 4, f"{low:.5g}", "start"), _text(width, height - 4, f"{high:.5g}", "end")]
    return _svg(width, height, what, [*parts, *ends])


def _map_svg(weights: FloatArray, shown: IntArray, names: Sequence[str]) -> str:
    """Weights among the neurons of one layer: from whom in rows, to whom in columns."""
    largest, side = max(np.abs(weights).max(), 1e-12), 12
    parts = [
        f'<rect x="{10 + side * column}" y="{side * row}" width="{side - 1}" height="{side - 1}" '
        f'fill="{_sign(weights[i, j])}" fill-opacity="{abs(weights[i, j]) / largest:.2f}">'
        f"<title>{html.escape(f'{names[i]} → {names[j]}, a step later: {weights[i, j]:+.4g}')}</title></rect>"
        for row, i in enumerate(shown)
        for column, j in enumerate(shown)
    ]
    return _svg(20 + side * len(shown), side * len(shown), "what the hidden layer sees of its own last outputs", parts)


def _svg(width: float, height: float, label: str, parts: Sequence[str]) -> str:
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{html.escape(label)}" '
        f'style="max-width:100%;height:auto" font-family="sans-serif" font-size="11">{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor">{html.escape(text)}</text>'


def _edges(
    weights: FloatArray,
    places: Sequence[Mapping[int, tuple[float, float]]],
    names: Sequence[Sequence[str]],
    largest: float,
) -> Iterator[str]:
    """The weakest first, so that the strongest lie on top."""
    ends = [(i, j) for i in places[0] for j in places[1]]
    for i, j in sorted(ends, key=lambda end: abs(weights[end])):
        share = abs(weights[i, j]) / largest
        if share < 1e-3:
            continue
        (x1, y1), (x2, y2) = places[0][i], places[1][j]
        title = html.escape(f"{names[0][i]} → {names[1][j]}: {weights[i, j]:+.4g}")
        yield (
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{_sign(weights[i, j])}" '
            f'stroke-width="{0.4 + 3.2 * share:.2f}" stroke-opacity="{0.25 + 0.65 * share:.2f}"><title>{title}</title>'
            "</line>"
        )


def _neurons(
    places: Mapping[int, tuple[float, float]], names: Sequence[str], biases: FloatArray | None, anchor: str | None
) -> Iterator[str]:
    for i, (x, y) in places.items():
        told = names[i] if biases is None else f"{names[i]}, bias {biases[i]:+.4g}"
        fill = "#8a8a8a" if biases is None else _sign(biases[i])
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{fill}"><title>{html.escape(told)}</title></circle>'
        if anchor is not None:
            yield _text(x + (10 if anchor == "start" else -10), y + 4, names[i], anchor)


def _sign(value: float) -> str:
    return NEGATIVE if value < 0 else POSITIVE


def _finite(weights: FloatArray) -> FloatArray:
    return np.nan_to_num(weights, nan=0.0, posinf=0.0, neginf=0.0)


def _thinned(count: int, most: int = 400) -> list[int]:
    """At most so many places out of `count`, the first and the last among them."""
    return sorted({int(i) for i in np.linspace(0, count - 1, min(count, most)).round()})
