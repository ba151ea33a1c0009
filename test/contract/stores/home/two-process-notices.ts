import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChangeNotifier } from '../../../../src/approval/change-notifier.ts';
import { startFillNotifier } from '../../../../src/home/fills/fill-notifier.ts';
import { createApprovalRequests } from '../../../../src/home/identity-provider/approval-requests.ts';
import { createPhonePush } from '../../../../src/home/phone/push/phone-push.ts';
import type { OtherProcesses } from '../../../../src/store/other-processes.ts';
import type { StoredProposal } from '../../../../src/store/proposal-store.ts';
import type { SqlTransactions } from '../../../../src/store/sql/sql-database.ts';
import { asking, MovedClock } from '../../../integration/push/notifier-world.ts';
import { proposalDetails } from '../../../integration/sandbox/proposal-fixture.ts';
import { approval, order } from '../../../unit/cli/sample-events.ts';
import { linkedProcesses } from './linked-processes.ts';
import { homeDatabaseForEach, type OpenHomeDatabase } from './open-home-database.ts';

/** What a process has sent, and what it does before it sends. */
interface Sending {
  readonly sent: string[];
  before: () => Promise<void>;
}

interface Started {
  stop(): void;
  ended(): Promise<void>;
}

/**
 * Two processes of one home whose loops send notifications: of requests, and of fills. A process that is killed while it
 * sends is one that never gets on, and no longer renews its claim.
 */
export function twoProcessNoticesContract(open: OpenHomeDatabase): void {
  describe('two processes that send notifications', () => {
    const opened = homeDatabaseForEach(open);
    let clock: MovedClock;
    let killed: PromiseWithResolvers<void>;
    let processes: [Sending, Sending];
    let running: Started[];
    let problems: string[];

    beforeEach(() => {
      // A claim is renewed by an interval.
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      clock = new MovedClock();
      killed = Promise.withResolvers();
      [running, problems] = [[], []];
      const sending = (): Sending => ({ sent: [], before: async () => undefined });
      processes = [sending(), sending()];
    });
    afterEach(async () => {
      for (const one of running) one.stop();
      killed.reject(new Error('the process was killed'));
      killed.promise.catch(() => undefined);
      await Promise.all(running.map((one) => one.ended()));
      vi.useRealTimers();
    });

    type Start = (at: SqlTransactions, others: OtherProcesses, of: Sending) => Started | Promise<Started>;
    const startBoth = async (start: Start) => {
      const [ours, anothers] = linkedProcesses();
      running.push(
        await start(opened.database, ours, processes[0]),
        await start(opened.another, anothers, processes[1]),
      );
    };
    const sent = () => processes.flatMap((process) => process.sent);
    /** Has the process that sends first stop at that, as if it were killed. */
    const killTheFirst = () => {
      let isKilled = false;
      for (const process of processes) {
        process.before = async () => {
          if (isKilled) return;
          isKilled = true;
          await killed.promise;
        };
      }
      return () => isKilled;
    };
    /** As if the time of the claims had passed: PostgreSQL has a clock of its own. */
    const endClaims = (table: string) =>
      opened.database.run(`UPDATE ${table} SET claimed_until = 1 WHERE claimed_until > 1`);
    /** Lets both look again, as they do every five seconds, and leaves them time to send what they find. */
    const lookAgain = async () => {
      clock.advance(5_000);
      await new Promise((resolve) => setTimeout(resolve, 50));
    };

    describe('of requests', () => {
      const start: Start = async (database, others, of) => {
        const closing = new AbortController();
        const requests = createApprovalRequests(database, clock, others);
        const tell = async ({ title }: { title: string }) => {
          await of.before();
          of.sent.push(title);
        };
        const push = await createPhonePush(
          {
            ...{ issuer: 'https://home.example.net', database, others, requests, clock, fetch },
            keys: { list: async () => [] },
            closing: closing.signal,
            onError: (text) => problems.push(text),
          },
          { notices: { tell }, noticesWhen: 'always' },
        );
        asker ??= requests;
        return { stop: () => closing.abort(), ended: () => push.approvalNotifier.stopped() };
      };
      let asker: ReturnType<typeof createApprovalRequests> | undefined;
      beforeEach(async () => {
        asker = undefined;
        await startBoth(start);
      });
      const ask = (n: number) =>
        asker?.add(
          asking(`auth-${n}`, { user: 'alice', details: proposalDetails('order'), expiresAt: clock.now() + 300_000 }),
        );

      it('send each one once', async () => {
        await Promise.all([ask(1), ask(2), ask(3)]);
        await expect.poll(() => sent().length).toBe(3);
        await lookAgain();
        await lookAgain();
        expect(sent()).toHaveLength(3);
        expect(problems).toEqual([]);
      });

      it('send what one of them was killed over', async () => {
        const isKilled = killTheFirst();
        await ask(1);
        await expect.poll(isKilled).toBe(true);
        await lookAgain();
        expect(sent()).toEqual([]);
        await endClaims('request_notifications');
        await expect
          .poll(async () => {
            await lookAgain();
            return sent().length;
          })
          .toBe(1);
      });
    });

    describe('of fills', () => {
      let rows: StoredProposal[];
      let reads: number;
      let changes: ChangeNotifier[];
      const start: Start = (database, others, of) => {
        const changed = new ChangeNotifier(clock);
        changes.push(changed);
        const notifier = startFillNotifier({
          database,
          others,
          proposals: {
            version: async () => 1,
            changedSince: async (_, since) => {
              reads += 1;
              return rows.filter((one) => one.version > since);
            },
          },
          people: { list: async () => [{ username: 'alice' }] as never },
          news: changed.listen('anybody'),
          lookAtOrders: async () => undefined,
          tell: async ({ headline }) => {
            await of.before();
            of.sent.push(headline);
          },
          notifyOrder: async () => undefined,
          clock,
          onError: (message) => problems.push(message),
        });
        return notifier;
      };
      beforeEach(async () => {
        [rows, changes, reads] = [[], [], 0];
        await startBoth(start);
        // Both have read where they begin.
        await expect.poll(() => reads).toBeGreaterThanOrEqual(2);
      });
      const fill = (n: number) => {
        const whose = { id: `pr_${n}`, sub: 'alice', kind: 'order', state: 'executed', shows: {}, updatedAt: 0 };
        const result = { ...order, id: `order-${n}` };
        rows.push({ ...whose, version: n + 1, subject: approval.order, result } as unknown as StoredProposal);
        for (const changed of changes) changed.notify({ id: `pr_${n}`, sub: 'alice' });
      };

      it('send each one once', async () => {
        for (const n of [1, 2, 3]) fill(n);
        await expect.poll(() => sent().length).toBe(3);
        await lookAgain();
        await lookAgain();
        expect(sent()).toHaveLength(3);
        expect(problems).toEqual([]);
      });

      it('send what one of them was killed over, and nothing twice', async () => {
        const isKilled = killTheFirst();
        fill(1);
        await expect.poll(isKilled).toBe(true);
        await lookAgain();
        expect(sent()).toEqual([]);
        await endClaims('told_fills');
        await expect
          .poll(async () => {
            await lookAgain();
            return sent().length;
          })
          .toBe(1);
        await lookAgain();
        expect(sent()).toHaveLength(1);
      });
    });
  });
}
