import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { PairedPhone } from '../../e2e/home-world.ts';
import type { Failpoint } from '../failpoints.ts';
import { type GatewayBook, openGatewayBook } from '../gateway-book.ts';
import { createHomeThatDies, type HomeThatDies } from '../home/home-that-dies.ts';

/** Home and agent die, and the home alone finishes. `CRASH_CASE="alone gateway.claimed"` plays one case. */

interface Place {
  readonly at: Failpoint;
  /** Where the home dies once more, by what it takes up by itself. */
  readonly again?: Failpoint;
}

/** The home sends nothing again for half a minute where it is in doubt. */
const SETTLED_MS = 60_000;
const short: readonly Place[] = [{ at: 'execute.intent' }, { at: 'gateway.submitted', again: 'gateway.settled' }];
const rest: readonly Place[] = [
  ...(['proposal.drafted', 'gateway.verified', 'gateway.recorded', 'execute.answered'] as const).map(placeOf),
  ...(['execute.recorded', 'record.sequenced', 'gateway.submitted'] as const).map(placeOf),
  { at: 'gateway.submitted', again: 'gateway.asked' },
  { at: 'gateway.claimed' },
  { at: 'gateway.before_submit' },
  { at: 'gateway.claimed', again: 'gateway.reclaimed' },
];
/** Where the agent alone dies: the home has heard it. */
const agents: readonly Failpoint[] = ['propose.answered', 'propose.noted', 'wait.answered', 'result.read'];

const only = /^alone (\S+)$/.exec(process.env.CRASH_CASE ?? '')?.[1];
const isFull = Number(process.env.CRASH_SEEDS ?? 1) > 1 || only !== undefined;
const nameOf = ({ at, again }: Place) => [at, ...(again === undefined ? [] : [again])].join('+');
const isWanted = (name: string) => only === undefined || name === only;
const places = (isFull ? [...short, ...rest] : short)
  .map((place) => [nameOf(place), place] as const)
  .filter(([name]) => isWanted(name));

/** One for each case: a slot is a day's, of one symbol. */
const symbols = [
  ...['WMT', 'KO', 'BAC', 'CSCO', 'WFC', 'SHEL', 'MRK', 'UBER', 'T', 'VZ'],
  ...['PFE', 'CMCSA', 'BTI', 'INTC', 'F', 'GM', 'KHC', 'NKE'],
];

let world: HomeThatDies;
let gateway: GatewayBook;
let phone: PairedPhone;
let mandate: string;
let played = 0;
beforeAll(async () => {
  world = await createHomeThatDies();
  await world.init();
  await world.serve();
  gateway = openGatewayBook(world.home);
  phone = await world.pair();
  await world.json('profile', 'add', 'home', '--home', world.address, '--credential-store', 'file');
  await world.login(phone);
  mandate = await granted();
});
afterAll(async () => {
  gateway?.close();
  await world?.close();
  process.stdout.write(`\nUnder mandates, alone: ${JSON.stringify({ cases: played })}\n`);
});

it.each(places)(
  'a home that died at %s finishes what a mandate approved with nobody there: one order, one reservation, one slot',
  async (_, { at, again }) => {
    const symbol = nextSymbol();
    await world.servedDies(
      at,
      async () => {
        const run = world.start(...runOf(symbol));
        await world.ended();
        run.child.kill('SIGKILL');
      },
      again,
    );
    await oneOf(symbol);
  },
  150_000,
);

it.each(isFull ? agents.filter(isWanted) : agents.slice(0, 1))(
  'an agent that died at %s is not missed: one order, one reservation, one slot',
  async (at) => {
    const symbol = nextSymbol();
    await world.commandDies(at, ...runOf(symbol));
    await oneOf(symbol);
  },
  150_000,
);

const runOf = (symbol: string) => ['run', `buy 1 ${symbol}`, '--approval', 'mandate', '--output', 'json'];

function placeOf(at: Failpoint): Place {
  return { at };
}

function nextSymbol(): string {
  const symbol = symbols[played++];
  if (symbol === undefined) throw new Error('there are more cases than symbols');
  return symbol;
}

/** By itself it comes to one order; and the next who asks finds its slot used. */
async function oneOf(symbol: string): Promise<void> {
  const rows = () => gateway.proposals().filter((proposal) => proposal.symbol === symbol);
  await expect
    .poll(() => rows().map(({ state }) => state), { timeout: SETTLED_MS, interval: 100 })
    .toEqual(['executed']);
  await expectOne(symbol);
  const lost = await world.cli(...runOf(symbol));
  expect([lost.code, lost.stdout]).toEqual([8, expect.stringContaining('MANDATE_SLOT_USED')]);
  await expectOne(symbol);
}

async function expectOne(symbol: string): Promise<void> {
  const booked = world.sandbox.broker.book().filter((order) => order.symbol === symbol);
  const ids = booked.map(({ client_order_id }) => client_order_id);
  expect(booked).toMatchObject([{ side: 'buy', qty: '1' }]);
  const { orders, slots } = gateway.underMandate(mandate);
  const own = orders.filter((order) => order.symbol === symbol);
  expect(own.map(({ client_order_id, state }) => [client_order_id, state])).toEqual([[ids[0], 'placed']]);
  expect(Number(own[0]?.notional)).toBeGreaterThan(0);
  expect(slots.filter((id) => ids.includes(id))).toHaveLength(1);
  // A slot for each order, and none beside.
  expect(slots).toHaveLength(orders.length);
  expect(await world.waiting(phone)).toEqual([]);
  const [row] = gateway.proposals().filter((proposal) => proposal.symbol === symbol);
  const events = gateway.audit().flatMap((line) => (line.proposal === row?.id ? [line.event] : []));
  expect(events).toEqual(expect.arrayContaining(['proposed', 'approved_by_mandate', 'executing', 'executed']));
  expect(events.filter((event) => event === 'approved_by_mandate')).toHaveLength(1);
  expect((await gateway.verify()).ok).toBe(true);
}

/** A mandate for one order of each symbol a day, signed by the phone's key. */
async function granted(): Promise<string> {
  const until = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
  const terms = ['--per-order', '120', '--total', '2400', '--orders', '20', '--every', 'day', '--until', until];
  const asking = world.start('mandates', 'add', ...symbols, ...terms, '--output', 'json');
  await vi.waitUntil(async () => (await world.waiting(phone)).length === 1, { timeout: 20_000 });
  expect((await world.approve(phone)).status).toBe(200);
  const { code, stdout, stderr } = await asking.finished;
  if (code !== 0) throw new Error(`no mandate: ${stdout}${stderr}`);
  return (JSON.parse(stdout) as { mandate: { id: string } }).mandate.id;
}
