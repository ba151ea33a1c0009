import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { GrantTerms } from '../../../src/approval/signature/grant.ts';
import { allRows } from './all-rows.ts';
import { type HostileWorld, startHostileWorld } from './hostile-world.ts';
import { type KnownThings, knownThings } from './known-things.ts';
import { report } from './report.ts';
import { named, routes } from './routes.ts';
import { type Result, run } from './row.ts';
import { signedOrders } from './rows/gateway-orders.ts';
import { SIGNED_MESSAGE } from './rows/messages.ts';
import { SIGNED_WITHOUT_CODE } from './rows/provenance.ts';

/** `npm run test:hostile` writes the page; else it must be as it would be written. */
const { SECURITY_TESTS } = process.env;
const root = fileURLToPath(new URL('../../..', import.meta.url));
const page = `${root}docs/develop/SECURITY-TESTS.md`;

let hostile: HostileWorld;
let known: KnownThings;
let noted: number;
let results: Result[];
let denied: string;
beforeAll(async () => {
  hostile = await startHostileWorld();
  known = await knownThings(hostile);
  const all = await allRows(hostile, known);
  ({ denied } = all);
  noted = (await recorded('requested')).length;
  results = await run(all.rows).finally(all.close);
}, 300_000);
/** The record once it has this about what is open: lines are written in turn, a moment after what they tell of. */
async function recorded(event: string): Promise<Record<string, unknown>[]> {
  const { id } = known.open.proposal;
  const line = expect.objectContaining({ event, proposal: id });
  await vi.waitFor(() => expect(hostile.record()).toContainEqual(line), { timeout: 10_000 });
  return hostile.record();
}
afterAll(() => hostile?.close());

describe('whoever attacks a home', () => {
  it('is refused in each way as the table says', () => {
    const unexpected = results.filter(({ expected, actual }) => actual !== expected);
    process.stdout.write(`${results.length} rows, ${unexpected.length} unexpected\n`);
    expect(unexpected).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(400);
  });

  it('has no order in the broker’s book that its owner did not approve', () => {
    const placed = hostile.placed().map(({ client_order_id }) => client_order_id);
    expect(placed.sort()).toEqual([...known.sent, 'ta-hostile-order'].sort());
  });

  it('has decided nothing of what is open, and leaves no line in the record but of the people’s own signatures', async () => {
    const { id } = known.open.proposal;
    expect(await hostile.alice.send('DELETE', `/v1/proposals/${id}`)).toMatchObject({
      status: 200,
      body: { state: 'cancelled' },
    });
    const lines = (await recorded('cancelled')).slice(noted);
    // Bob signs a registration token for each app that the rows let ask him.
    const isBobsToken = ({ event, sub, grant }: Record<string, unknown>) =>
      event === 'signed' && sub === 'bob' && (grant as GrantTerms | undefined)?.kind === 'registration';
    const others = lines.filter((line) => !isBobsToken(line));
    // Sorted, because a denial is recorded when the gateway learns of it, which may be after the next signature.
    expect(others.map(({ event, approval, proposal }) => `${event} ${approval ?? proposal}`).sort()).toEqual(
      [
        `signed ${SIGNED_MESSAGE}`,
        `denied ${denied}`,
        `signed ${SIGNED_WITHOUT_CODE}`,
        ...signedOrders.map((order) => `signed ${order}`),
        `cancelled ${id}`,
      ].sort(),
    );
  });
});

describe('the table', () => {
  it('has each route of the gateway that asks for a token', () => {
    const written = globSync('src/gateway/routes/*.ts', { cwd: root }).flatMap((file) => [
      ...readFileSync(`${root}${file}`, 'utf8').matchAll(/\b(?:app|at)\.(\w+)\(\s*'(\/v1[^']*)'/g),
    ]);
    const pattern = ([, method = '', path = '']: RegExpExecArray | RegExpMatchArray) =>
      `${method.toUpperCase()} ${path.replace(/:method\{(.*)\}/, '$1').replace(/:(id|symbol)/, 'ID')}`;
    const tried = routes.map((route) => named(route).replace(/\/(nothing|AAPL)/, '/ID'));
    expect(tried.sort()).toEqual(written.map(pattern).sort());
  });

  it('is docs/develop/SECURITY-TESTS.md', () => {
    const text = report(results);
    if (SECURITY_TESTS === 'write') writeFileSync(page, text);
    expect(readFileSync(page, 'utf8')).toBe(text);
  });
});
