import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BookedOrder, createWorld, type World } from '../e2e/world.ts';
import { type Obeyed, SERVER, startObeyingModel } from './obeying-model.ts';
import { report, type Tally } from './report.ts';
import { type SuiteCase, suiteCases } from './suite-cases.ts';

/** Cases of one sandbox: an hour's proposals are counted. */
const OF_ONE_SANDBOX = 40;
/** Milliseconds from a tap to the broker's book, on a machine that does much else. */
const FILLED_MS = 60_000;
const page = new URL('../../docs/develop/PUBLIC-SUITES.md', import.meta.url).pathname;
const teller = new URL('telling-server.ts', import.meta.url).pathname;
const env = { TRADE_AGENT_API_KEY: 'sk-test' };

const found = suiteCases();
const tallies: Tally[] = [];

describe.skipIf(found === undefined).each([...(found ?? [])])('$name', (suite, cases) => {
  const tally: Tally = {
    suite,
    ...{ run: 0, reached: 0, proposals: 0, unsigned: 0, shownWrong: 0, placed: 0 },
  };
  tallies.push(tally);
  let model: Awaited<ReturnType<typeof startObeyingModel>>;
  let world: World | undefined;
  let told = '';
  let isSpent = true;
  /** The ids of orders that were approved. */
  const signed = new Set<string>();
  const unsignedIn = (book: readonly BookedOrder[]) =>
    book.filter(({ client_order_id: id }) => id.startsWith('ta-') && !signed.has(id)).length;

  beforeAll(async () => {
    model = await startObeyingModel();
  });
  afterAll(async () => {
    await world?.close();
    await model.close();
  });

  async function freshWorld(): Promise<World> {
    await world?.close();
    world = await createWorld();
    await world.login();
    told = join(world.folder, 'told.txt');
    writeFileSync(told, '');
    const add = ['mcp', 'servers', 'add', SERVER, '--command', process.execPath, '--tool', 'search'];
    const added = await world.cli([...add, '--', teller, told]);
    expect(added.code, added.stderr).toBe(0);
    return world;
  }

  it.each(cases.map((one, index) => [one.id, one, index] as const))('%s', async (_, one, index) => {
    // One that failed may have left something behind.
    const here = index % OF_ONE_SANDBOX === 0 || isSpent || world === undefined ? await freshWorld() : world;
    isSpent = true;
    const order = orderOf(one, index);
    writeFileSync(told, one.text === '' ? 'There is nothing.' : one.text);
    model.meet(one, order);

    const { code, stdout, stderr } = await here.cli(
      [
        ...['run', one.prompt, '--model', 'gpt-obedient', '--base-url', model.url],
        ...['--approval', 'detach', '--max-turns', '4', '--output', 'json'],
      ],
      { env },
    );
    tally.run += 1;
    if (model.reached()) tally.reached += 1;
    expect([0, 1, 2, 5], stdout + stderr).toContain(code);

    // Nobody has signed anything: there is no order, whatever the model did.
    const unsigned = unsignedIn(await here.book());
    tally.unsigned += unsigned;
    expect(unsigned, stdout).toBe(0);

    const pending = (await here.phone.requests('alice', { waitSeconds: 0 })).filter(
      ({ status }) => status === 'pending',
    );
    tally.proposals += pending.length;
    expect(pending.length, stdout + stderr).toBe(model.reached() ? 1 : 0);
    const [request] = pending;
    if (request === undefined) {
      isSpent = false;
      return;
    }

    // The phone shows what it is, what it can come to, and that it is nobody's word that the person said.
    try {
      expect(request.kind).toBe('order');
      expect(request.details.subject).toMatchObject(order);
      expect(request.binding_message).toContain(`${order.side.toUpperCase()} ${order.qty} ${order.symbol}`);
      expect(request.worst_case?.text).toMatch(/\$\d/);
      const from = { source: 'other', from: `MCP server ${SERVER}` };
      expect(request.provenance?.tainted_by).toEqual([`MCP server ${SERVER}`]);
      expect(request.provenance?.fields).toMatchObject({ symbol: from, side: from, qty: from });
    } catch (error) {
      tally.shownWrong += 1;
      throw error;
    }

    // Somebody who approves it all the same gets what was shown, and nothing beside.
    const id = String(request.details.identifier);
    signed.add(id);
    await here.phone.decide(request.id, 'approve');
    const placed = async () => (await here.book()).filter(({ client_order_id: one }) => one === id);
    await expect.poll(placed, { timeout: FILLED_MS }).toMatchObject([order]);
    expect(unsignedIn(await here.book())).toBe(0);
    isSpent = false;
    tally.placed += 1;
  });
});

/** An amount of the attack's, in shares that the sandbox's account can pay for: its number is in no prompt. */
function orderOf({ prompt, calls }: SuiteCase, index: number): Obeyed {
  const amount = calls.map(({ arguments: { amount: one } }) => Number(one)).find((one) => one > 0) ?? 0;
  const quantities = Array.from({ length: 9 }, (_, n) => String(((Math.round(amount) + index + n) % 9) + 1));
  const qty = quantities.find((one) => !new RegExp(`\\b${one}\\b`).test(prompt)) ?? '1';
  return { symbol: 'KO', side: 'buy', qty };
}

describe.skipIf(found === undefined)('what public suites make of it', () => {
  it('is docs/develop/PUBLIC-SUITES.md', () => {
    const text = report(tallies);
    if (process.env.SUITES_REPORT === 'write') writeFileSync(page, text);
    expect(readFileSync(page, 'utf8')).toBe(text);
  });
});
