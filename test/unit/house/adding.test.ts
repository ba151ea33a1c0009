import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { additions } from './additions.ts';
import { complaintsWith } from './overlay.ts';
import { root } from './sources.ts';

type Addition = (typeof additions)[number][1];
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const all = additions.map(([, addition]) => addition);

/** What the throw-away additions have in place of a guide's placeholders. */
const placeholders: Readonly<Record<string, string>> = {
  kind: 'note',
  broker: 'ibkr',
  tool: 'get-time',
  channel: 'pushover',
  noun: 'hours',
};

/** The files that a guide's table has, and how many it says there are. */
function guideOf({ guide }: Addition) {
  const text = read(guide);
  const rows = [...text.matchAll(/^\| \d+ \| `([^`]+)`/gm)].map(([, file = '']) =>
    file.replace(/<(\w+)>/g, (_, placeholder: string) => placeholders[placeholder] ?? ''),
  );
  return { files: rows, count: Number(/\*\*(\d) source files\*\*/.exec(text)?.[1]) };
}

/** The text of a file with the addition's changes, each of which must find its place. */
function changed(file: string, edits: Addition['edits'][string]): string {
  if (typeof edits === 'string') return edits;
  return edits.reduce((text, [before, after]) => {
    if (!text.includes(before)) throw new Error(`${file} has no ${JSON.stringify(before)}: adapt additions.ts`);
    return text.replace(before, () => after);
  }, read(file));
}

/** The program's texts with several additions, whole or only what is written first. */
function texts(part: (addition: Addition) => readonly string[]): Map<string, string> {
  return new Map(
    all.flatMap((addition) =>
      part(addition).map((file): [string, string] => [file, changed(file, addition.edits[file] ?? [])]),
    ),
  );
}

describe.each(additions)('the guide for %s', (_, addition) => {
  it('says how many source files it touches, no more than the design allows', () => {
    const { files, count } = guideOf(addition);
    expect(count).toBe(files.length);
    expect(count).toBeLessThanOrEqual(addition.most);
  });

  it('names the files that a throw-away one needed', () => {
    expect(guideOf(addition).files.sort()).toEqual(Object.keys(addition.edits).sort());
  });
});

describe('what is added for a try', () => {
  it('have the compiler ask for the rest once the first is written, in files that the guides name', () => {
    const asked = new Set(complaintsWith(texts(({ first }) => first)).map(({ file }) => file));
    expect([...asked].sort()).toEqual(all.flatMap(({ named }) => named).sort());
  });

  it('compile and work by the changes of the guides alone', () => {
    const whole = texts(({ edits }) => Object.keys(edits));
    expect(complaintsWith(whole)).toEqual([]);
    const copy = mkdtempSync(join(tmpdir(), 'adding-'));
    try {
      cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true });
      cpSync(join(root, 'package.json'), join(copy, 'package.json'));
      symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
      for (const [file, text] of whole) {
        mkdirSync(dirname(join(copy, file)), { recursive: true });
        writeFileSync(join(copy, file), text);
      }
      writeFileSync(join(copy, 'try.ts'), script);
      expect(JSON.parse(execFileSync(process.execPath, ['try.ts'], { cwd: copy, encoding: 'utf8' }))).toEqual({
        planned: { type: 'limit_if_touched', stop_price: '170', limit_price: '171' },
        said: ['limit_if_touched'],
        shown: 'BUY 5 AAPL, if touched $170.00',
        bound: '171.00',
        atIbkr: ['day', 'gtc'],
        atTradier: 'a limit_if_touched order is not supported here',
        fills: [null, '169.50'],
        tooSmall: ['NOTIONAL_BELOW_MIN_PER_ORDER'],
        limitWords: 'One order, at least $10.00 → $20.00',
        noted: ['NOTE', 'Note', 'Later'],
        time: '2026-12-01T15:00:00Z, open',
        sent: 'Pushover',
        command: 'say whether the market is open',
      });
    } finally {
      rmSync(copy, { recursive: true });
    }
  });
}, 600_000);

const script = `
import { createProgram } from './src/cli/program.ts';
import { noticeChannelSchema, formatNoticeDestination } from './src/config/notice-channels.ts';
import { tools } from './src/tools/catalog.ts';
import { parseNewestTurn } from './src/agent/reader/conversation.ts';
import { parseUtterances } from './src/agent/reader/utterance.ts';
import { ibkrTraits } from './src/gateway/broker/ibkr/traits.ts';
import { tradierTraits } from './src/gateway/broker/tradier/traits.ts';
import { findLimitObjections } from './src/gateway/policy/limit-table.ts';
import { matchOrder } from './src/sandbox/paper-broker/exchange/matching.ts';
import { parseTicket } from './src/sandbox/paper-broker/exchange/order-ticket.ts';
import { getKindDefinition } from './src/trading/kinds/kinds.ts';
import { formatLimitChange } from './src/trading/limit-words.ts';
import { normalizeOrder, orderRequestSchema } from './src/trading/order.ts';
import { checkBrokerTerms } from './src/trading/order-terms.ts';
import { orderHeadline } from './src/trading/order-words.ts';
import { computeWorstCase } from './src/trading/worst-case.ts';

const said = 'buy 5 AAPL lit 170 limit 171';
const { request } = parseNewestTurn([said]).parsed.intents[0];
const order = normalizeOrder(orderRequestSchema.parse(request));
const draft = { ...order, account: 'A', environment: 'paper', reference_price: '180.00', max_slippage: '0.01' };
const messageOf = (act) => { try { act(); } catch (error) { return error.message; } };
const ticket = parseTicket({ ...order, qty: '5', client_order_id: 'one' });
const resting = { ...ticket, hwm: null, triggered: 0 };
const at = (last) => matchOrder(resting, { last, bid: last, ask: last }).fillPrice ?? null;
const { type, stop_price, limit_price } = request;
const time = tools.find(({ name }) => name === 'get_time');
const gateway = { clock: async () => ({ timestamp: '2026-12-01T15:00:00Z', is_open: true }) };
const channel = noticeChannelSchema.parse({ kind: 'pushover', user: 'u' });
const program = await createProgram({ io: {}, env: {} }, ['hours']);
console.log(JSON.stringify({
  planned: { type, stop_price, limit_price },
  said: parseUtterances(['hm, ' + said + ' I think'], 'AAPL').flatMap(({ types }) => types),
  shown: orderHeadline(order),
  bound: computeWorstCase(draft).price,
  atIbkr: ibkrTraits.orders.us_equity.timesInForce.limit_if_touched,
  atTradier: messageOf(() => checkBrokerTerms(draft, tradierTraits.orders)),
  fills: [at('170.50'), at('169.50')],
  tooSmall: findLimitObjections({ min_order_notional: '10' }, { order: { notional: '9' }, facts: {} }).map(({ reason }) => reason),
  limitWords: formatLimitChange('min_order_notional 10 → 20'),
  noted: [getKindDefinition('note').phone.banner.word, getKindDefinition('note').phone.view({ text: 'Later', client_note_id: 'n', expires_at: '2026-12-01T00:00:00Z' }).headline, getKindDefinition('note').terminal.fields({ text: 'Later' })[0][1]],
  time: (await time.execute({ gateway }, {})).summary,
  sent: formatNoticeDestination(channel),
  command: program.commands[0].description(),
}));
`;
