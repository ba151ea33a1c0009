import { lookup as systemLookup } from 'node:dns';

/** Finds all addresses of a name. Rejects where there is none. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

/**
 * By the system: /etc/hosts, search domains, and whatever else this machine is set up for. It has no time limit and shares two
 * threads with the broker's name, so it is for names from the owner's own settings alone; `public-resolver.ts` resolves others.
 */
export const resolveHost: ResolveHost = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, found) => {
      if (error !== null) reject(error);
      else resolve(found.map(({ address }) => address));
    });
  });
