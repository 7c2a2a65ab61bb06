"""Draws the README's picture: a three-layer network, and the one flat genome that all its weights are views onto.

Command:  python experiments/figures/genome.py > experiments/figures/genome.svg
"""

from evonet import Architecture

ARCHITECTURE = Architecture(4, 6, 2)
COLOURS = {
    "input_hidden_weights": "#0072b2",
    "hidden_bias": "#56b4e9",
    "hidden_output_weights": "#d55e00",
    "output_bias": "#e69f00",
}
WIDTH, HEIGHT, STRIP, CELL = 860, 400, 330, 20


def column(x: int, count: int) -> list[tuple[int, float]]:
    """Centres of `count` neurons, one above the other."""
    return [(x, 150 + (i - (count - 1) / 2) * 44) for i in range(count)]


def edges(below: list[tuple[int, float]], above: list[tuple[int, float]], colour: str) -> list[str]:
    """A line for each weight."""
    return [
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" stroke-width="1.4" opacity="0.65"/>'
        for x1, y1 in below
        for x2, y2 in above
    ]


def neurons(places: list[tuple[int, float]], colour: str) -> list[str]:
    """A disc for each neuron."""
    return [f'<circle cx="{x}" cy="{y}" r="13" fill="{colour}" stroke="#ffffff" stroke-width="2"/>' for x, y in places]


inputs = column(200, ARCHITECTURE.num_inputs)
hidden = column(430, ARCHITECTURE.num_hidden)
outputs = column(660, ARCHITECTURE.num_outputs)
cell = (WIDTH - 40) / ARCHITECTURE.genome_size
strip = []
for name, where in ARCHITECTURE.slices.items():
    x, width = 20 + where.start * cell, (where.stop - where.start) * cell
    strip.append(
        f'<rect x="{x:.1f}" y="{STRIP}" width="{width:.1f}" height="{CELL}" fill="{COLOURS[name]}" stroke="#ffffff"/>'
    )
    tall = STRIP + CELL + (18 if width > 90 else 36)
    strip.append(f'<text x="{x + width / 2:.1f}" y="{tall}" text-anchor="middle">{name}</text>')
captions = ["observation", "hidden layer", "action"]
print(
    "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-size="12"',
            '     font-family="system-ui, sans-serif" fill="#444444">',
            "<title>A three-layer network and its genome</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
            *edges(inputs, hidden, COLOURS["input_hidden_weights"]),
            *edges(hidden, outputs, COLOURS["hidden_output_weights"]),
            *neurons(inputs, "#999999"),
            *neurons(hidden, COLOURS["hidden_bias"]),
            *neurons(outputs, COLOURS["output_bias"]),
            *(
                f'<text x="{x}" y="300" text-anchor="middle">{text}</text>'
                for x, text in zip((200, 430, 660), captions, strict=True)
            ),
            f'<text x="20" y="{STRIP - 8}">genome: {ARCHITECTURE.genome_size} numbers in one row of memory</text>',
            *strip,
            "</svg>",
        ]
    )
)
