import { describe, expect, it } from 'vitest';
import { escapeHtml, escapeMarkdown } from '../../../src/check/report/escape.ts';
import { renderHtmlReport, thinOutPoints } from '../../../src/check/report/html.ts';
import { renderMarkdownReport } from '../../../src/check/report/markdown.ts';
import { renderTextReport } from '../../../src/check/report/text.ts';
import { checkResultSchema } from '../../../src/check/result-schema.ts';
import { checks, position, quote, snapshot, TUESDAY_NOON } from './sample-snapshot.ts';

const DAY = 86_400_000;
const evil = '<script>alert(1)</script>';

async function report() {
  const made = await checks(
    `targets: {AAPL: 50%, MSFT: 20%}
rules:
  - {name: drift, kind: drift}
  - {name: words, kind: price, symbol: AAPL, below: 200, message: "${evil} | *bold* [x](http://evil)"}
`,
  );
  const seen = snapshot({
    positions: [position('AAPL', 60, 100), position(evil, 1, 5)],
    quotes: new Map([
      ['AAPL', quote('AAPL', '100')],
      ['MSFT', quote('MSFT', '50')],
    ]),
    history: Array.from({ length: 30 }, (_, day) => ({
      at: TUESDAY_NOON - (30 - day) * DAY,
      equity: String(9000 + day * 30),
    })),
    notes: [`a note\u001b[31m with \u202eescapes`],
  });
  return made.run(seen, { awaited: new Set(), wasAsked: () => false });
}

describe('the HTML report', () => {
  it('escapes whatever came from outside, and forbids scripts and requests besides', async () => {
    const { result, figures } = await report();
    const page = renderHtmlReport(result, figures);
    expect(page).toContain('&lt;script&gt;alert(1)');
    expect(page).not.toContain('<script');
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    // biome's rule is off for this: escapes are just what must not be there.
    expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });

  it('draws value, drawdown, allocation and drift, each with a title for who can’t see it', async () => {
    const { result, figures } = await report();
    const page = renderHtmlReport(result, figures);
    for (const name of ['value', 'drawdown', 'allocation', 'drift']) {
      expect(page).toMatch(new RegExp(`<svg class="chart ${name}"[^>]*role="img"[^>]*><title>`));
    }
    expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
    expect(page).toContain('prefers-color-scheme:dark');
    expect(page).toContain('width=device-width');
  });

  it('does without a history, without targets and without holdings', async () => {
    const made = await checks('');
    const { result, figures } = made.run(snapshot({ positions: [] }));
    const page = renderHtmlReport(result, figures);
    expect(page).toContain('Not enough history yet');
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('every form of a report', () => {
  it('says what became of the orders it proposed, or until when they wait', async () => {
    const { result, figures } = await report();
    const order = { symbol: 'MSFT', side: 'buy', qty: '40', type: 'limit', limit_price: '50.25' };
    const proposals = [
      { status: 'done', text: 'BUY 1 KO MKT: filled 1 at $72.00.\n\nSELL 2 KO MKT: the phone said no.' },
      {
        status: 'pending',
        text: '',
        approvals: [
          { status: 'requested', code: 'K7QP', expires_at: '2026-11-24T17:05:00Z', order },
          { status: 'executed', code: 'AAAA', expires_at: '2026-11-24T17:05:00Z', order },
        ],
      },
    ];
    const told = { ...result, proposals };
    for (const page of [renderTextReport(told), renderMarkdownReport(told), renderHtmlReport(told, figures)]) {
      expect(page).toContain('filled 1 at $72.00.');
      expect(page).toContain('the phone said no.');
      expect(page).toContain(
        'BUY 40 MSFT LMT 50.25 is waiting for your approval until Nov 24, 2026, 12:05 PM New York',
      );
      expect(page).toContain('K7QP');
      expect(page).not.toContain('AAAA');
    }
  });
});

describe('Markdown and text', () => {
  it('hold no markup of others, and no terminal escapes', async () => {
    const { result } = await report();
    const markdown = renderMarkdownReport(result);
    expect(markdown).not.toContain('<script');
    expect(markdown).not.toContain('[x](http');
    expect(markdown).toContain('\\*bold\\*');
    const text = renderTextReport(result);
    expect(text).toContain('buy 40 MSFT limit $50.25 (about $2,010.00, drift)');
    expect(text).not.toMatch(/[\u001b\u202e]/);
  });

  it('keep to the schema of the result', async () => {
    expect(checkResultSchema.parse((await report()).result)).toBeDefined();
  });
});

it('escaping leaves plain words alone', () => {
  expect(escapeHtml('AAPL & "MSFT"')).toBe('AAPL &amp; &quot;MSFT&quot;');
  expect(escapeMarkdown('plain (words): +1.5% on 2026-11-24')).toBe('plain (words): +1.5% on 2026-11-24');
  expect(escapeMarkdown('# 1')).toBe('\\# 1');
});

it('a chart of many points keeps the first, the last, the highest and the lowest', () => {
  const dots = Array.from({ length: 5000 }, (_, at) => ({
    at,
    value: at === 1234 ? 99 : at === 3456 ? -99 : Math.sin(at),
  }));
  const kept = thinOutPoints(dots);
  expect(kept.length).toBeLessThanOrEqual(402);
  expect(kept.at(0)?.at).toBe(0);
  expect(kept.at(-1)?.at).toBe(4999);
  expect(kept.some(({ value }) => value === 99) && kept.some(({ value }) => value === -99)).toBe(true);
  expect(kept.every(({ at }, index) => index === 0 || at > (kept[index - 1]?.at ?? 0))).toBe(true);
});
