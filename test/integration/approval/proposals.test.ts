import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { verifyAuditStores } from '../../../src/approval/audit-verification.ts';
import { createCheckpointReader } from '../../../src/approval/checkpoints/checkpoint-reader.ts';
import { deriveReceiptKey } from '../../../src/approval/receipts/receipt-key.ts';
import { readSandboxSecret } from '../../../src/sandbox/stored-secret.ts';
import { createSqliteAuditStores } from '../../../src/store/sqlite/gateway-stores.ts';
import type { ProposalRequestInput } from '../../../src/trading/proposal.ts';
import { type Person, type ProposalWorld, startProposalWorld } from './world.ts';

const buy = (qty: string, more: object = {}): ProposalRequestInput => ({
  kind: 'order',
  order: { symbol: 'AAPL', side: 'buy', qty, ...more },
  requested_by: 'a test',
});

describe('a proposal', () => {
  let world: ProposalWorld;
  let alice: Person;
  let next = 0;
  /** Another quantity each time: what is asked twice within the hour is said to be. */
  const fresh = () => String(++next);
  const book = () => world.sandbox.broker.book().filter(({ client_order_id }) => /^ta-/.test(client_order_id));

  beforeAll(async () => {
    world = await startProposalWorld();
    alice = await world.as('alice');
  });
  afterAll(() => world.close());
  beforeEach(() => world.sandbox.faults.clear());

  it('is carried out when its owner approves it, whoever is still there', async () => {
    const qty = fresh();
    const proposal = await alice.propose(buy(qty));
    expect(proposal).toMatchObject({ kind: 'order', state: 'requested', client: 'trade-agent' });
    expect(proposal.code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}$/);
    expect(proposal.worst_case?.text).toMatch(/^Costs at most \$/);
    const before = book().length;
    await alice.tap(proposal.code);
    const executed = await alice.until(proposal.id, 'executed');
    expect(executed).toMatchObject({ result: { symbol: 'AAPL', qty, status: 'filled' } });
    expect(book()).toHaveLength(before + 1);
    expect(Number((executed.result as { filled_avg_price: string }).filled_avg_price)).toBeLessThanOrEqual(
      Number(proposal.worst_case?.price),
    );
  });

  it('is not carried out when its owner denies it', async () => {
    const before = book().length;
    const proposal = await alice.propose(buy(fresh()));
    await alice.tap(proposal.code, 'deny');
    expect((await alice.until(proposal.id, 'denied')).reason).toMatchObject({ code: 'approval_denied' });
    expect(book()).toHaveLength(before);
  });

  it('is the same under the same key, and a conflict with another body', async () => {
    const request = buy(fresh());
    const first = await alice.propose(request, 'the-same-key');
    const again = await alice.ask(request, 'the-same-key');
    expect(again).toMatchObject({ status: 200, body: { id: first.id, code: first.code } });
    const other = await alice.ask(buy(fresh()), 'the-same-key');
    expect(other).toMatchObject({ status: 409, body: { code: 'idempotency_key_conflict' } });
    const found = await alice.send('GET', '/v1/proposals?key=the-same-key');
    expect(found.body.proposals).toMatchObject([{ id: first.id }]);
    // Another person's key of the same name is another key.
    const { body } = await (await world.as('bob')).send('GET', '/v1/proposals?key=the-same-key');
    expect(body.proposals).toEqual([]);
    await alice.send('DELETE', `/v1/proposals/${first.id}`);
  });

  it('withdrawn, can no longer be approved', async () => {
    const before = book().length;
    const proposal = await alice.propose(buy(fresh()));
    const withdrawn = await alice.send('DELETE', `/v1/proposals/${proposal.id}`);
    expect(withdrawn).toMatchObject({ status: 200, body: { state: 'cancelled' } });
    // The phone hears of it a moment later.
    for (;;) {
      const shown = await world.phone.requests('alice');
      if (!shown.some(({ code }) => code === proposal.code)) break;
      await new Promise(setImmediate);
    }
    expect(book()).toHaveLength(before);
    const again = await alice.send('DELETE', `/v1/proposals/${proposal.id}`);
    expect(again).toMatchObject({ status: 200, body: { state: 'cancelled' } });
  });

  it('that was carried out can not be withdrawn', async () => {
    const proposal = await alice.approved(buy(fresh()));
    expect(await alice.send('DELETE', `/v1/proposals/${proposal.id}`)).toMatchObject({
      status: 409,
      body: { code: 'proposal_settled' },
    });
  });

  it('survives a restart between its question and the tap', async () => {
    const proposal = await alice.propose(buy(fresh()));
    await world.restart();
    await alice.tap(proposal.code);
    expect(await alice.until(proposal.id, 'executed')).toMatchObject({ code: proposal.code });
  });

  it('leaves a record that shows any change', async () => {
    const folder = join(world.folder, 'sandbox');
    const database = new Database(join(folder, 'gateway.db'));
    try {
      const stores = createSqliteAuditStores(database);
      const { jwk } = await deriveReceiptKey(readSandboxSecret(folder) ?? '');
      const verdict = () => verifyAuditStores(stores, createCheckpointReader({ keys: [jwk] }));
      // A line is pending first; it is in the tree soon after.
      await expect.poll(verdict).toMatchObject({ ok: true, pending: 0 });
      const change = (from: string, to: string) =>
        database
          .prepare('UPDATE record_lines SET line = replace(line, ?, ?)')
          .run(`"side":"${from}"`, `"side":"${to}"`);
      const bought = database.prepare(`SELECT min(leaf) FROM record_lines WHERE line LIKE '%"side":"buy"%'`).pluck();
      const leaf = bought.get() as number;
      change('buy', 'sell');
      expect(await verdict()).toEqual({ ok: false, line: leaf + 1, what: 'changed' });
      change('sell', 'buy');
    } finally {
      database.close();
    }
  });
});
