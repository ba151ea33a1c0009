import { setTimeout as sleep } from 'node:timers/promises';
import { isTradeAgentError } from '../../src/errors/errors.ts';
import type { CrashWorld } from './crash-world.ts';
import { answered } from './patience.ts';

/** A question that stood on the phone. */
export interface Asked {
  /** The phone's own name for it. */
  readonly id: string;
  /** The gateway's. */
  readonly proposal: string;
  readonly clientOrderId: string;
  readonly shownCode: string;
  /** The order as it was shown. */
  readonly subject: Readonly<Record<string, unknown>>;
}

/** A decision tapped on the phone. Its answer may have been lost: what counts is that the person tapped. */
export interface Tap extends Asked {
  readonly decision: 'approve' | 'deny';
}

const noAnswer: readonly string[] = ['provider_unreachable', 'provider_error'];

export type Person = ReturnType<typeof createPerson>;

/** @param decide what to tap; undefined for nothing. `asked` is how often that symbol was asked about. */
export function createPerson(
  world: CrashWorld,
  decide: (question: Asked, asked: number) => 'approve' | 'deny' | undefined,
) {
  const taps: Tap[] = [];
  const left = new AbortController();
  const looking = Promise.withResolvers<void>();
  const asked = new Map<string, Asked>();
  /** Taps without an answer: a person taps again, and as they did before. */
  const unanswered = new Map<string, 'approve' | 'deny'>();
  const tap = async (id: string, decision: 'approve' | 'deny'): Promise<void> => {
    unanswered.set(id, decision);
    try {
      await world.phone.decide(id, decision);
    } catch (error) {
      if (isTradeAgentError(error) && !noAnswer.includes(error.code)) unanswered.delete(id);
      throw error;
    }
    unanswered.delete(id);
  };

  const answer = async (): Promise<void> => {
    await looking.promise;
    while (!left.signal.aborted) {
      try {
        await world.sandboxUp();
        for (const [id, decision] of unanswered) await tap(id, decision);
        const open = await world.phone.requests('alice', { waitSeconds: 5, signal: left.signal });
        const fresh = open.filter(({ id }) => !asked.has(id));
        // What they leave as it is would be answered at once each time.
        if (fresh.length === 0) await sleep(50);
        for (const { id, code, details } of fresh) {
          const subject = details.subject as Asked['subject'];
          const question = {
            id,
            proposal: String(details.proposal),
            clientOrderId: String(details.identifier),
            shownCode: code,
            subject,
          };
          asked.set(id, question);
          const times = [...asked.values()].filter((one) => one.subject.symbol === subject.symbol).length;
          const decision = decide(question, times);
          if (decision === undefined) continue;
          taps.push({ decision, ...question });
          await tap(id, decision);
        }
      } catch {
        // The sandbox died under the tap, or failed; whether it counted shows with the next.
        await sleep(50);
      }
    }
  };
  const answering = answer();

  return {
    get asked() {
      return [...asked.values()];
    },
    taps,
    look: () => looking.resolve(),
    async leave() {
      left.abort();
      looking.resolve();
      await answering;
      for (const { id } of await answered(() => world.phone.requests('alice'))) await tap(id, 'deny');
    },
  };
}
