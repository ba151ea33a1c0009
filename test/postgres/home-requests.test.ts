import { beforeEach, expect, it } from 'vitest';
import { createApprovalRequests } from '../../src/home/identity-provider/approval-requests.ts';
import { systemClock } from '../../src/machine/clock.ts';
import type { ProcessNotification } from '../../src/store/other-processes.ts';
import { homeSchema } from '../../src/store/postgres/migrations/home.ts';
import { postgresOtherProcesses } from '../../src/store/postgres/other-processes.ts';
import { postgresTransactions } from '../../src/store/postgres/sql-database.ts';
import { blockDatabase, newTenant, withPostgres } from './support/database.ts';

withPostgres('approval requests in two processes over one database', () => {
  const server = blockDatabase(homeSchema);
  let requests: ReturnType<typeof createApprovalRequests>[];
  let news: ProcessNotification[];
  const open = async (tenant: string) => {
    const database = await server.open(tenant);
    const others = postgresOtherProcesses(database);
    // It says so once it listens.
    await new Promise<void>((resolve) => others.subscribe((news) => news === 'missed' && resolve()));
    others.subscribe((one) => news.push(one));
    return createApprovalRequests(postgresTransactions(database, 'place'), systemClock, others);
  };
  beforeEach(async () => {
    const tenant = newTenant();
    news = [];
    requests = [await open(tenant), await open(tenant)];
  });

  it('wake the waiters of the other process, without telling it the id that gives access to the token', async () => {
    const [ours, anothers] = requests;
    if (ours === undefined || anothers === undefined) throw new Error('not opened');
    const heard: string[] = [];
    anothers.onChange('alice', () => heard.push('changed'));
    anothers.onDelivered('the-secret-id', () => heard.push('delivered'));
    const { id } = await ours.add({
      authReqId: 'the-secret-id',
      user: 'alice',
      clientId: 'gateway',
      clientName: 'The gateway',
      code: 'K7QP',
      bindingMessage: undefined,
      details: { type: 'trade_order' },
      expiresAt: Date.now() + 60_000,
    });
    await expect.poll(() => heard).toEqual(['changed']);
    expect((await anothers.decide(id, 'approve', 'alice')).outcome).toBe('decided');
    await ours.deliverOnce(id, async () => undefined);
    await expect.poll(() => heard).toContain('delivered');
    expect(JSON.stringify(news)).not.toContain('the-secret-id');
    expect(await anothers.isDelivered('the-secret-id')).toBe(true);
  });
});
