/** Width of a character in pixels. */
const WIDTH = 8.4;
const HEIGHT = 18;
const FONT = 14;
const MARGIN = 16;
/** Time in milliseconds that the last frame stays before the film restarts. */
const REST_MS = 4_000;

const front = '#d7dae0';
const back = '#16181d';
const palette = [
  ...['#3b4048', '#f0616d', '#8ccf7e', '#e5c76b', '#67b0e8', '#c47fd5', '#6cbfbf', '#d7dae0'],
  ...['#6b7280', '#ff7b85', '#a4e496', '#f4d67a', '#7cc4fa', '#d79be8', '#80d4d4', '#ffffff'],
];

/** Returns an SVG that plays the frames of `createScreen` in a loop, or shows the last one with reduced motion. */
export function film(frames, { columns, rows, title }) {
  const width = Math.ceil(columns * WIDTH) + 2 * MARGIN;
  const height = rows * HEIGHT + 2 * MARGIN;
  const last = frames.at(-1);
  const whole = last.at + REST_MS;
  // Rows that do not change between frames are written once.
  const drawn = new Map();
  const idOf = (spans) => {
    const text = spans.map(span).join('');
    if (!drawn.has(text)) drawn.set(text, `r${drawn.size}`);
    return drawn.get(text);
  };
  const strips = frames.map(({ rows: seen }, index) => {
    const uses = seen.flatMap((spans, row) =>
      spans.length === 0 ? [] : [`<use href="#${idOf(spans)}" y="${row * HEIGHT}"/>`],
    );
    return `<g transform="translate(${index * width})">${uses.join('')}</g>`;
  });
  const steps = frames.map(
    ({ at }, index) => `${((at / whole) * 100).toFixed(3)}%{transform:translateX(${-index * width}px)}`,
  );
  const end = -(frames.length - 1) * width;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>
text{font:${FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}
.film{animation:film ${whole}ms step-end infinite}
@keyframes film{${steps.join('')}100%{transform:translateX(${end}px)}}
@media (prefers-reduced-motion:reduce){.film{animation:none;transform:translateX(${end}px)}}
</style>
<defs>${[...drawn].map(([text, id]) => `<g id="${id}">${text}</g>`).join('\n')}</defs>
<rect width="100%" height="100%" rx="10" fill="${back}"/>
<svg x="${MARGIN}" y="${MARGIN}" width="${width - 2 * MARGIN}" height="${height - 2 * MARGIN}"><g class="film" fill="${front}">
${strips.join('\n')}
</g></svg>
</svg>
`;
}

function span({ column, width, text, front: ink, back: paper, bold, dim }) {
  const x = (column * WIDTH).toFixed(1);
  const box =
    paper === undefined
      ? ''
      : `<rect x="${x}" width="${(width * WIDTH).toFixed(1)}" height="${HEIGHT}" fill="${shade(paper)}"/>`;
  if (text.trim() === '') return box;
  const look = [
    ...(ink === undefined ? [] : [`fill="${shade(ink)}"`]),
    ...(bold ? ['font-weight="700"'] : []),
    ...(dim ? ['opacity=".6"'] : []),
  ];
  // A fixed text length keeps the columns aligned in any font.
  return `${box}<text x="${x}" y="${FONT}" textLength="${(width * WIDTH).toFixed(1)}" ${look.join(' ')}>${escaped(text)}</text>`;
}

function shade(color) {
  if (color === 'front') return front;
  if (color === 'back') return back;
  if (typeof color === 'string') return color;
  if (color < 16) return palette[color];
  if (color >= 232) return `rgb(${Array(3).fill(8 + (color - 232) * 10)})`;
  const level = (place) => [0, 95, 135, 175, 215, 255][Math.floor((color - 16) / place) % 6];
  return `rgb(${level(36)},${level(6)},${level(1)})`;
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
