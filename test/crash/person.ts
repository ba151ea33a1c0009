import { setTimeout as sleep } from 'node:timers/promises';
import { isTradeAgentError } from '../../src/trading/errors.ts';
import type { CrashWorld } from './crash-world.ts';

/** A decision tapped on the phone. Its answer may have been lost: what counts is that the person tapped. */
export interface Tap {
  readonly decision: 'approve' | 'deny';
  readonly clientOrderId: string;
  readonly details: Readonly<Record<string, unknown>>;
}

const noAnswer: readonly string[] = ['provider_unreachable', 'provider_error'];

/** Who holds the phone: decides whatever is asked, as often as it is asked. */
export interface Person {
  readonly taps: readonly Tap[];
  /** From now on they look at the phone. */
  look(): void;
  /** Puts the phone away. What is still open then is denied. */
  leave(): Promise<void>;
}

export function createPerson(
  world: CrashWorld,
  decide: (symbol: string, asked: number) => 'approve' | 'deny',
): Person {
  const taps: Tap[] = [];
  const left = new AbortController();
  const looking = Promise.withResolvers<void>();
  const askedFor = new Map<string, number>();
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
        for (const { id, details } of open) {
          const symbol = String(details.symbol);
          const asked = (askedFor.get(symbol) ?? 0) + 1;
          askedFor.set(symbol, asked);
          const decision = decide(symbol, asked);
          taps.push({ decision, clientOrderId: String(details.identifier), details });
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
    taps,
    look: () => looking.resolve(),
    async leave() {
      left.abort();
      looking.resolve();
      await answering;
      for (const { id } of await world.phone.requests('alice')) await tap(id, 'deny');
    },
  };
}
