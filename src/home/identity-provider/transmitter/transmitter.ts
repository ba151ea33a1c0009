import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Keys } from '../../../approval/keys/keys.ts';
import type { Clock } from '../../../machine/clock.ts';
import type { People } from '../people.ts';
import type { SigningKeys } from '../signing-keys.ts';
import { signedEvent, type ToldEvent, toldOf } from './event-token.ts';
import { pushSignals } from './push-signals.ts';
import { openSignalOutbox } from './signal-outbox.ts';
import { type Standing, whatStands } from './what-stands.ts';

/** Who is told, as `home.yaml` names them. */
export interface SignalReceiver {
  /** Where tokens are pushed to. */
  readonly endpoint: string;
  /** Their `aud`. */
  readonly audience: string;
}

export interface TransmitterOptions {
  readonly receivers: readonly SignalReceiver[];
  readonly database: Database;
  readonly issuer: string;
  readonly people: Pick<People, 'list'>;
  readonly keys: Pick<Keys, 'list'>;
  readonly signing: Pick<SigningKeys, 'current'>;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly onError: (message: string) => void;
}

/** How often it is looked what has changed, and what is to be sent again. */
const LOOK_MS = 1_000;

/**
 * Looks what stands no more, or is new, and tells receivers. What changed before anybody was to be told is told to nobody. It
 * is told once, since that it was seen is kept with what is to be sent; and reaches a receiver at least once, always as the
 * same token.
 */
export function startTransmitter(options: TransmitterOptions): { close(): Promise<void> } {
  const { receivers, database, issuer, signing, clock, onError } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const outbox = openSignalOutbox(database);
  const standing = whatStands(database, options);

  const look = async (): Promise<void> => {
    const now = clock.now();
    const stands = await standing();
    const seen = outbox.seen();
    const events = seen === undefined ? [] : changes(seen, stands, now);
    if (seen !== undefined && seen.length === stands.length && changed(seen, stands).length === 0) return;
    const sent = await Promise.all(
      events.flatMap((event) =>
        receivers.map(async ({ endpoint, audience }) => ({
          endpoint,
          token: await signedEvent(event, { issuer, audience, keys: signing, now }),
        })),
      ),
    );
    outbox.keep(stands, sent, now);
  };
  const running = (async () => {
    while (!signal.aborted) {
      try {
        await look();
        await pushSignals({ ...options, outbox, closing: signal });
      } catch (error) {
        onError(`signals: ${error instanceof Error ? error.message : 'error'}`);
      }
      await clock.sleep(LOOK_MS, signal).catch(() => undefined);
    }
  })();
  return {
    async close() {
      closing.abort();
      await running;
    },
  };
}

type Change = readonly [Standing, 'came' | 'went'];

const nameOf = ({ kind, id }: Standing): string => JSON.stringify([kind, id]);

function changed(seen: readonly Standing[], stands: readonly Standing[]): Change[] {
  const [before, now] = [seen, stands].map((list) => new Set(list.map(nameOf))) as [Set<string>, Set<string>];
  return [
    ...seen.filter((one) => !now.has(nameOf(one))).map((one) => [one, 'went'] as const),
    ...stands.filter((one) => !before.has(nameOf(one))).map((one) => [one, 'came'] as const),
  ];
}

function changes(seen: readonly Standing[], stands: readonly Standing[], now: number): ToldEvent[] {
  return changed(seen, stands).flatMap(([one, change]) => toldOf(one, change, now) ?? []);
}
