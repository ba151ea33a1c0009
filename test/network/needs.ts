import { inject } from 'vitest';
import { missingForNamespaces } from './namespaces.ts';

/** Why a scenario cannot be played on this machine; undefined if it can. Says so once per file. */
export function missing(needs: { readonly postgres: boolean }): string | undefined {
  const reason =
    missingForNamespaces() ??
    (needs.postgres && inject('postgresHost') === undefined
      ? 'there is no PostgreSQL on this machine (Debian: apt-get install postgresql)'
      : undefined);
  if (reason === undefined) return undefined;
  if (process.env.NETWORK_TESTS === 'required') throw new Error(reason);
  process.stderr.write(`Network tests are skipped: ${reason}.\n`);
  return reason;
}
