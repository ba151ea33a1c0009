import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Gateway } from '../gateway/gateway.ts';
import { failpoint } from '../machine/failpoint.ts';
import type { GatewayStores } from '../store/gateway-stores.ts';
import { Refusal } from '../trading/refusal.ts';
import type { Company } from './identity-provider/companies/company.ts';
import type { Signalled } from './identity-provider/signals/company-standing.ts';
import type { Vault } from './identity-provider/vault.ts';

/** In the record and in mandates: by whom it was ended. */
const BY = 'signal';

interface EndSignalledOptions {
  readonly companies: readonly Company[];
  readonly gateway: Pick<Gateway, 'revoked' | 'mandates'>;
  readonly stores: Pick<GatewayStores, 'audit'>;
  readonly vault: Pick<Vault, 'accounts' | 'disconnect' | 'forget'>;
  /** Tells the person. Resolves when it is told or given up. */
  readonly tell: (signalled: Signalled, company: Company | undefined) => Promise<void>;
  readonly now: () => number;
}

/*
 * What a company's signal ends outside of the provider's database, in this order. Each step may be done twice, and all are
 * done again where the home dies before the last was noted (`endAll`). None decides whether something may go out: that is
 * asked of the row that the signal left in the provider's database (`isTakenBack`), committed before any of this, right
 * before an order is sent. So it makes no difference how far this has come.
 *
 *  1. Broker's access tokens in memory are forgotten, the gateway's and the vault's.
 *  2. What the company's clients proposed for the person and is open is cancelled, on the phone as well.
 *  3. The person's mandates are suspended, and standing orders with them, whoever asked for them: what goes out without
 *     their eyes rests until they look again.
 *  4. One line of the record, and one notice. After a crash between this and the note that it has ended there are two
 *     lines of the same `jti`, and two notices of the same id.
 *  5. Where the account was disabled: the broker connections that the home keeps for the person are forgotten, and taken
 *     back at the broker, as far as it can be reached.
 */
export function endSignalled(options: EndSignalledOptions): (signalled: Signalled) => Promise<void> {
  const { companies, gateway, stores, vault, tell, now } = options;
  return async (signalled) => {
    const { user, issuer, effect, event, reason, jti } = signalled;
    const company = companies.find((one) => one.issuer === issuer);
    if (effect !== 'enabled') {
      vault.forget(user);
      const clients = company?.clients.map(({ client_id }) => client_id) ?? [];
      for (const clientId of clients) await gateway.revoked({ sub: user, clientId });
      await suspendMandates(options, user);
    }
    failpoint('signal.withdrawn');
    await stores.audit.note(
      {
        event: 'signal_received',
        facts: {
          sub: user,
          company: company?.organization,
          issuer,
          signal: event,
          effect,
          reason,
          jti,
          by: BY,
        },
      },
      now(),
    );
    if (effect === 'disabled') {
      await Promise.all(vault.accounts(user).map(({ connection }) => vault.disconnect(user, connection)));
    }
    await tell(signalled, company);
    failpoint('signal.ended');
  };
}

async function suspendMandates(
  { gateway: { mandates } }: Pick<EndSignalledOptions, 'gateway'>,
  sub: string,
): Promise<void> {
  for (const { id, state } of (await mandates?.list(sub)) ?? []) {
    if (state !== 'active' && state !== 'exhausted') continue;
    await mandates?.end(sub, id, 'suspended', BY).catch((error: unknown) => {
      // Its owner ended it meanwhile.
      if (!(error instanceof Refusal)) throw error;
    });
  }
}

const LOOK_MS = 1_000;

export type EndAll = ReturnType<typeof endAll>;

/**
 * Ends elsewhere what has ended in one database. That it has ended is noted afterwards: after a crash it is all done again, and
 * what failed is tried again at the next look, which also finds what another process has begun.
 */
export function endAll<T>(options: {
  readonly unended: () => readonly T[];
  readonly end: (one: T) => Promise<void>;
  readonly ended: (one: T) => void;
  readonly onError: (message: string) => void;
}) {
  const { unended, end, ended, onError } = options;
  let closed = false;
  let ending = Promise.resolve();
  let isEnding = false;

  const endThem = async () => {
    for (let left = unended(); left.length > 0 && !closed; left = unended()) {
      for (const one of left) {
        await end(one);
        ended(one);
      }
    }
  };
  const endings = {
    look(): void {
      if (isEnding || closed) return;
      isEnding = true;
      ending = endThem()
        .catch((error: Error) => onError(error.message))
        .finally(() => {
          isEnding = false;
        });
    },
    async close(): Promise<void> {
      closed = true;
      clearInterval(looking);
      await ending;
    },
  };
  const looking = setInterval(endings.look, LOOK_MS).unref();
  endings.look();
  return endings;
}

/**
 * Ends whatever belonged to people who were removed, here or by a command in another process; a home that was not served then
 * does it at its next start.
 */
export function watchDepartures(options: {
  readonly database: Database;
  readonly end: (username: string) => Promise<void>;
  readonly now: () => number;
  readonly onError: (message: string) => void;
}): EndAll {
  const { database, end, now, onError } = options;
  const unended = database
    .prepare<[], string>(
      `SELECT username FROM people
       WHERE removed_at IS NOT NULL AND username NOT IN (SELECT username FROM departures)`,
    )
    .pluck();
  const ended = database.prepare<[string, number]>('INSERT OR IGNORE INTO departures VALUES (?, ?)');
  return endAll({
    unended: () => unended.all(),
    async end(username) {
      await end(username);
      failpoint('person.ended');
    },
    ended: (username) => void ended.run(username, now()),
    onError,
  });
}
