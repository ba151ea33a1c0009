import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { requireHost } from '../../net/host-check.ts';
import { listenerOf } from '../../net/http-server.ts';
import { createOidcStore } from '../../store/home/oidc-store.ts';
import { loadProviderKeys } from '../../store/home/provider-keys.ts';
import { prepareProviderDatabase } from '../../store/home/schema.ts';
import { createSandboxTables } from '../../store/sandbox/schema.ts';
import { assertionExchange } from './assertion-exchange.ts';
import { type CompanyClient, companyClients } from './clients.ts';
import { companyProvider, ID_TOKEN_S } from './company-provider.ts';
import { companyPages, isPagePath } from './pages.ts';
import { type CompanyPerson, companyPeople } from './people.ts';
import type { CompanyRule } from './rules.ts';
import { companySignIn } from './sign-in.ts';
import { idTokens } from './subject.ts';

export interface CompanyOptions {
  readonly issuer: string;
  readonly name: string;
  readonly database: Database;
  readonly people: readonly CompanyPerson[];
  readonly clients: readonly CompanyClient[];
  readonly rules: readonly CompanyRule[];
  /** Lets a terminal replace people's browsers; optional. */
  readonly pairingSecret?: string | undefined;
  readonly clock?: Clock;
  /** Never receives a token. */
  readonly onError?: (message: string) => void;
}

export type Company = ReturnType<typeof createCompany>;

export function createCompany(options: CompanyOptions) {
  const { issuer, name, database, pairingSecret, rules, clock = systemClock, onError = () => {} } = options;
  const now = () => clock.now();
  createSandboxTables(database, 'company');
  prepareProviderDatabase(database);
  const keys = loadProviderKeys(database, now);
  const [signingKey, ...earlier] = keys.signing.current().keys;
  if (signingKey === undefined) throw new Error('the company has no signing key');
  const people = companyPeople(database, options.people);
  const clients = companyClients(database, options.clients);
  const issued = idTokens(database, ID_TOKEN_S, now);
  const store = createOidcStore({
    database,
    now,
    onGrantEnded: async () => {},
    beforeBackchannelRequest: async () => {},
  });
  const provider = companyProvider({
    issuer,
    adapter: clients.among(store.adapter),
    signingKeys: [signingKey, ...earlier],
    cookieKey: keys.cookie,
    people,
    idTokens: issued,
    exchange: assertionExchange({
      issuer,
      people,
      rules,
      idTokens: issued,
      verificationKey: keys.signing.verificationKey,
      signingKey: () => signingKey,
      now,
    }),
  });
  provider.on('server_error', (ctx, error) => onError(`${ctx.method} ${ctx.path}: ${error.message}`));
  const { decide } = companySignIn(provider, people, now);
  const pages = listenerOf(
    companyPages({ name, clients, decide, people: options.people, pairingSecret, now }),
  );
  const protocol = provider.callback();
  const isForUs = requireHost([issuer]);
  const endSessions = (sub: string) => store.endGrants({ sub });
  return {
    issuer,
    signingKey,
    decide,
    endSessions,
    /** Ends all sign-ins and exchanges for good. */
    deactivate: (sub: string): void => {
      people.deactivate(sub);
      endSessions(sub);
    },
    callback: (request: IncomingMessage, response: ServerResponse): void => {
      if (!isForUs(request, response)) return;
      const [path = ''] = (request.url ?? '').split('?', 1);
      if (isPagePath(path)) pages(request, response);
      else protocol(request, response).catch((error: Error) => onError(error.message));
    },
  };
}
