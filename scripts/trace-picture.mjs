// Draws docs/operate/trace.svg: the trace of one order, from the spans that test/e2e/trace.test.ts collected. Run it
// after that test: npx vitest run --project e2e test/e2e/trace.test.ts && node scripts/trace-picture.mjs
import { readFileSync, writeFileSync } from 'node:fs';

const results = new URL('../test-results/trace.json', import.meta.url);
const { prompt, began, ended, trace } = JSON.parse(readFileSync(results, 'utf8'));

const WIDTH = 880;
const LABELS = 285;
const ROW = 20;
const TOP = 44;

/** Who a span is of, or undefined for a request to the provider, which has a span of its own there. */
function partyOf({ kind, name }) {
  const [, target = ''] = name.split(' ');
  if (kind === 3) return target === 'localhost' ? undefined : 'broker';
  if (/^\/(v1|ciba)\//.test(target)) return 'gateway';
  return target.startsWith('/phone/') ? 'phone' : 'provider';
}

const milliseconds = (nanoseconds) => Number(nanoseconds) / 1e6 - began;
const rows = [{ party: 'cli', label: `trade-agent run "${prompt}"`, bars: [[0, ended - began]] }];
for (const span of trace) {
  const party = partyOf(span);
  if (party === undefined) continue;
  const label = party === 'broker' ? `broker ${span.name.split(' ')[0]}` : `${party} ${span.name}`;
  const bar = [milliseconds(span.startTimeUnixNano), milliseconds(span.endTimeUnixNano)];
  const last = rows.at(-1);
  if (last.label === label) last.bars.push(bar);
  else rows.push({ party, label, bars: [bar] });
}

const end = Math.max(...rows.flatMap(({ bars }) => bars.map(([, to]) => to)));
const scale = (WIDTH - LABELS - 16) / end;
const x = (ms) => (LABELS + ms * scale).toFixed(1);
const height = TOP + rows.length * ROW + 12;
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const grid = Array.from({ length: Math.floor(end / 1000) + 1 }, (_, second) => {
  const at = x(second * 1000);
  return `<path class="grid" d="M${at} ${TOP - 8}V${height - 8}"/><text x="${at}" y="${TOP - 14}" text-anchor="middle">${second} s</text>`;
});
const drawn = rows.map(({ party, label, bars }, index) => {
  const y = TOP + index * ROW;
  const rects = bars.map(
    ([from, to]) =>
      `<rect class="${party}" x="${x(from)}" y="${y + 3}" width="${Math.max(2, (to - from) * scale).toFixed(1)}" height="${ROW - 7}" rx="2"/>`,
  );
  return `<text x="8" y="${y + 14}">${escaped(label)}</text>${rects.join('')}`;
});
writeFileSync(
  new URL('../docs/operate/trace.svg', import.meta.url),
  `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="The spans of one order, from the sentence over the gateway, the identity provider, the phone and the broker to the fill">
<style>
text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#24292f}
.grid{stroke:#d0d7de;fill:none}.cli{fill:none;stroke:#57606a;stroke-width:1.5}
.gateway{fill:#0969da}.provider{fill:#8250df}.phone{fill:#cf222e}.broker{fill:#1a7f37;opacity:.8}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#3d444d}.cli{stroke:#9198a1}
.gateway{fill:#58a6ff}.provider{fill:#bc8cff}.phone{fill:#ff7b72}.broker{fill:#3fb950}}
</style>
${[...grid, ...drawn].join('\n')}
</svg>
`,
);
