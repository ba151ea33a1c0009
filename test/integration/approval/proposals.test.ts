import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { verifyAuditFile } from '../../../src/approval/audit-chain.ts';
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
    const file = join(world.folder, 'sandbox', 'audit.jsonl');
    const database = new Database(join(world.folder, 'sandbox', 'gateway.db'));
    try {
      const { audit } = createSqliteAuditStores(database);
      expect(await verifyAuditFile(file, audit)).toMatchObject({ ok: true });
      // A line stands in the database first, and is counted; the file has it soon after.
      const inFile = () => readFileSync(file, 'utf8').trimEnd().split('\n').length;
      const isLevel = async () => {
        const verdict = await verifyAuditFile(file, audit);
        return verdict.ok && verdict.lines === inFile();
      };
      await expect.poll(isLevel).toBe(true);
      const changed = join(world.folder, 'changed.jsonl');
      const text = readFileSync(file, 'utf8');
      const line = text.slice(0, text.indexOf('"side":"buy"')).split('\n').length;
      writeFileSync(changed, text.replace('"side":"buy"', '"side":"sell"'));
      expect(await verifyAuditFile(changed, audit)).toMatchObject({ ok: false, line, what: 'changed' });
    } finally {
      database.close();
    }
  });
});
