/** One throw-away addition, as its guide describes it. */
interface Addition {
  readonly guide: string;
  /** Source files that the design allows it to touch. */
  readonly most: number;
  /** Changes by file, in the guide's order; a string is the text of a new file. */
  readonly edits: Readonly<Record<string, string | readonly (readonly [before: string, after: string])[]>>;
  /** What is written first. After that the compiler must ask for `named`. */
  readonly first: readonly string[];
  readonly named: readonly string[];
}

const orderType: Addition = {
  guide: 'docs/adding/order-type.md',
  most: 6,
  edits: {
    'src/trading/order-types.ts': [
      [
        '  trailing_stop: {\n',
        `  limit_if_touched: {
    words: { name: 'Limit if touched', terms: ({ stop_price }) => \`if touched \${formatSharePrice(stop_price ?? '0')}\` },
    prices: ['limit_price', 'stop_price'],
    bound: 'own limit',
    matches: (side, last, stop) => (side === 'buy' ? last.lte(stop) : last.gte(stop)),
  },
  trailing_stop: {\n`,
      ],
    ],
    'src/trading/order-terms.ts': [
      [
        '      stop_market: dayOrGtc,\n      trailing_stop:',
        '      stop_market: dayOrGtc,\n      limit_if_touched: dayOrGtc,\n      trailing_stop:',
      ],
    ],
    'src/gateway/broker/ibkr/traits.ts': [
      ["    trailing_stop: { listed: 'Trailing Stop' },\n", "    limit_if_touched: { sent: 'LIT', listed: 'LIT' },\n"],
      ['stop_limit: stands }', 'stop_limit: stands, limit_if_touched: stands }'],
    ],
    'src/sandbox/paper-broker/exchange/asset-terms.ts': [
      ["'trailing_stop'],", "'trailing_stop', 'limit_if_touched'],"],
    ],
    'src/agent/reader/lexicons/english.json': [
      ['    "oto": "oto",\n', '    "oto": "oto",\n    "touched": "lit|limit if touched",\n'],
    ],
    'src/agent/reader/slots.ts': [
      [
        "  ['a? oto', type('oto')],\n",
        "  ['a? oto', type('oto')],\n  ['touched # limit #', twoPrices('limit_if_touched')],\n",
      ],
    ],
  },
  first: ['src/trading/order-types.ts'],
  // Brokers, sandbox and planner take the types that they name: without their words it is refused.
  named: [],
};

const limit: Addition = {
  guide: 'docs/adding/limit.md',
  most: 5,
  edits: {
    'src/trading/limit-words.ts': [
      [
        '  max_order_qty: {',
        "  min_order_notional: { label: 'One order, at least', shown: formatAmount },\n  max_order_qty: {",
      ],
    ],
    'src/trading/policy-reasons.ts': [
      ["  'QUANTITY_EXCEEDS_MAX_PER_ORDER',", "  'NOTIONAL_BELOW_MIN_PER_ORDER',\n  'QUANTITY_EXCEEDS_MAX_PER_ORDER',"],
    ],
    'src/gateway/policy/limit-table.ts': [
      [
        '  max_order_qty: defineLimit({',
        `  min_order_notional: defineLimit({
    schema: amount,
    reason: 'NOTIONAL_BELOW_MIN_PER_ORDER',
    needs: 'the order’s maximum total',
    check: (limit, { order: { notional } }) =>
      notional === null || new Dec(notional).gte(limit) ? undefined : { text: 'it comes to less', limit, value: notional },
  }),
  max_order_qty: defineLimit({`,
      ],
    ],
    'src/gateway/policy/files/compare.ts': [
      ['  max_order_qty: atMost,', '  min_order_notional: atLeast,\n  max_order_qty: atMost,'],
    ],
  },
  first: ['src/trading/limit-words.ts'],
  named: ['src/gateway/policy/files/compare.ts', 'src/gateway/policy/limit-table.ts'],
};

const kind: Addition = {
  guide: 'docs/adding/kind.md',
  most: 5,
  edits: {
    'src/trading/kinds/note.ts': `import { z } from 'zod';
import { ORDER_SCOPE, PROPOSE_ORDERS_SCOPE } from '../../oauth/scopes.ts';
import { toDetailFields, type FieldWords } from '../detail-fields.ts';
import { defineKind } from './kind-words.ts';
import { changePhrases } from './phrases.ts';

const requestSchema = z.lazy(() => z.strictObject({ text: z.string() }));
const subjectSchema = z.lazy(() =>
  z.strictObject({ text: z.string(), client_note_id: z.string(), expires_at: z.iso.datetime({ precision: 0 }) }),
);
const resultSchema = z.lazy(() => z.object({ noted_at: z.string() }));
export type NoteRequest = z.output<typeof requestSchema>;
export type NoteSubject = z.output<typeof subjectSchema>;
export type Noted = z.output<typeof resultSchema>;
const fieldWords: FieldWords = { text: { label: 'Text' }, client_note_id: { label: 'Note id' } };

export const note = defineKind({
  name: 'note', detailsType: 'trading_note', action: 'note',
  scope: ORDER_SCOPE, proposeScope: PROPOSE_ORDERS_SCOPE, passesHalt: true,
  requestSchema, subjectSchema, resultSchema,
  check: () => {}, summary: ({ text }) => \`NOTE \${text}\`, toOutcome: () => ({}), phrases: changePhrases,
  terminal: { called: 'note', headline: ({ text }) => \`NOTE \${text}\`, fields: ({ text }) => [['note', text]], brief: () => [] },
  phone: {
    called: 'note', banner: { sign: '✎', word: 'NOTE', what: 'kept for the record' }, fieldWords,
    view: (subject) => ({ headline: 'Note', terms: subject.text, fields: toDetailFields(subject, fieldWords) }),
  },
});
`,
    'src/trading/kinds/kinds.ts': [
      ["import { order } from './order.ts';", "import { note } from './note.ts';\nimport { order } from './order.ts';"],
      ['  mandate,\n', '  mandate,\n  note,\n'],
    ],
    'src/trading/permissions.ts': [
      ["  access: 'can_grant_access',", "  access: 'can_grant_access',\n  note: undefined,"],
    ],
    'src/approval/kinds/note/kind.ts': `import { type Clock, formatUtcSeconds } from '../../../machine/clock.ts';
import { note, type Noted, type NoteRequest, type NoteSubject } from '../../../trading/kinds/note.ts';
import type { Kind } from '../../kind.ts';

export function noteKind(clock: Clock): Kind<NoteRequest, NoteSubject, Noted> {
  return {
    ...note,
    complete: async ({ text }, { subjectId, expiresAt }) => ({
      subject: { text, client_note_id: subjectId, expires_at: expiresAt },
      subjectId,
      worstCase: { cash: null, price: null, text: 'Nothing is traded by this.' },
      warnings: [],
      shows: {},
    }),
    describe: ({ text }) => \`NOTE \${text}\`,
    expiresAt: ({ expires_at }) => expires_at,
    fingerprint: ({ text }) => text,
    execute: async () => ({ outcome: 'executed', result: { noted_at: formatUtcSeconds(clock.now()) } }),
    settle: async () => undefined,
    resultText: () => 'noted',
  };
}
`,
    'src/gateway/approvals.ts': [
      ['import { orderKind }', "import { noteKind } from '../approval/kinds/note/kind.ts';\nimport { orderKind }"],
      ['    mandate: mandateKind(', '    note: noteKind(clock),\n    mandate: mandateKind('],
    ],
  },
  first: ['src/trading/kinds/note.ts', 'src/trading/kinds/kinds.ts'],
  named: ['src/gateway/approvals.ts', 'src/trading/permissions.ts'],
};

const tool: Addition = {
  guide: 'docs/adding/tool.md',
  most: 2,
  edits: {
    'src/tools/get-time.ts': `import { z } from 'zod';
import { defineTool, requireGateway } from './tool.ts';

export const getTime = defineTool({
  name: 'get_time',
  title: 'Read the time',
  description: 'Says what time it is at the exchange, and whether it is open.',
  schema: z.strictObject({}),
  scopes: ['market:read'],
  risk: 'read',
  async execute(context) {
    const { timestamp, is_open } = await requireGateway(context).clock();
    return { summary: \`\${timestamp}, \${is_open ? 'open' : 'closed'}\`, content: JSON.stringify({ timestamp, is_open }) };
  },
});
`,
    'src/tools/catalog.ts': [
      ['import { getWatchlist }', "import { getTime } from './get-time.ts';\nimport { getWatchlist }"],
      ['  getMarketClock,\n', '  getMarketClock,\n  getTime,\n'],
    ],
  },
  first: ['src/tools/get-time.ts', 'src/tools/catalog.ts'],
  named: [],
};

const channel: Addition = {
  guide: 'docs/adding/channel.md',
  most: 3,
  edits: {
    'src/config/notice-channels.ts': [
      [
        '  ntfy: defineChannel({',
        `  pushover: defineChannel({
    schema: () => z.strictObject({ kind: z.literal('pushover'), ...createCommonChannelSettings(), user: z.string() }),
    destination: () => 'Pushover',
    secret: {
      need: () => 'required',
      words: () => 'API token of the application',
      boundTo: ({ user }) => [user],
      mustBe: (secret) => (/^[A-Za-z0-9]{30}$/.test(secret) ? undefined : '30 letters and digits.'),
    },
  }),

  ntfy: defineChannel({`,
      ],
    ],
    'src/notify/pushover.ts': `import { createPostSender } from './http-post.ts';
import type { SenderFactory } from './sender.ts';

export const createPushoverSender: SenderFactory<'pushover'> = ({ user }, token, deps) =>
  createPostSender(deps, ({ title, body }) => ({
    url: 'https://api.pushover.net/1/messages.json',
    headers: {},
    body: JSON.stringify({ token, user, title, message: body }),
  }));
`,
    'src/notify/open-channel.ts': [
      ['import type { ChannelDeps', "import { createPushoverSender } from './pushover.ts';\nimport type { ChannelDeps"],
      ['  ntfy: createNtfySender,\n', '  ntfy: createNtfySender,\n  pushover: createPushoverSender,\n'],
    ],
  },
  first: ['src/config/notice-channels.ts', 'src/notify/pushover.ts'],
  named: ['src/notify/open-channel.ts'],
};

const command: Addition = {
  guide: 'docs/adding/command.md',
  most: 4,
  edits: {
    'src/app/hours.ts': `import type { App } from './app.ts';

/** Whether the market is open, and until when. */
export async function marketHours(app: Pick<App, 'gateway'>): Promise<{ open: boolean; until: string }> {
  const { is_open, next_open, next_close } = await (await app.gateway()).clock();
  return { open: is_open, until: is_open ? next_close : next_open };
}
`,
    'src/cli/commands/hours/hours.ts': `import { sessionExitCodes } from '../../../app/exit-codes.ts';
import { marketHours } from '../../../app/hours.ts';
import type { CliCommand } from '../../context/cli-command.ts';

export function addHoursCommand(program: CliCommand): void {
  program
    .command('hours')
    .description('say whether the market is open')
    .examples(['trade-agent hours', 'open or closed'])
    .exits(...sessionExitCodes)
    .runs(async (context) => {
      const hours = await marketHours(context);
      await context.output.result('hours', { ...hours }, () => \`\${hours.open ? 'open' : 'closed'} until \${hours.until}\`);
    });
}
`,
    'src/cli/program.ts': [
      [
        "  ['calendar',",
        "  ['hours', async () => (await import('./commands/hours/hours.ts')).addHoursCommand],\n  ['calendar',",
      ],
    ],
    'src/cli/schema/results.ts': [
      [
        '  clock: clockSchema.unwrap(),',
        '  clock: clockSchema.unwrap(),\n  hours: z.object({ open: z.boolean(), until: timeSchema }),',
      ],
    ],
  },
  first: ['src/app/hours.ts', 'src/cli/commands/hours/hours.ts'],
  named: [],
};

export const additions = [
  ['an order type', orderType],
  ['a limit', limit],
  ['a kind of approval', kind],
  ['a tool', tool],
  ['a notice channel', channel],
  ['a command', command],
] as const;
