import { lookup as systemLookup } from 'node:dns';

/** Resolves a name to all its addresses. Rejects if the name has none. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

/**
 * Resolves a name with the system's resolver, including /etc/hosts and search domains. The system's resolver has no
 * time limit and shares two threads with lookups of the broker's name, so use it only for names from the owner's
 * settings. For other names, see `public-resolver.ts`.
 */
export const resolveHost: ResolveHost = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, found) => {
      if (error !== null) reject(error);
      else resolve(found.map(({ address }) => address));
    });
  });
