import type { Agent } from '../agent/agent.ts';
import type { Session } from '../auth/session/session.ts';
import type { CredentialLocation, ResolvedProfile } from '../config/profile.ts';
import { serverProfileName } from '../config/server-profile-name.ts';
import { TradeAgentError } from '../errors/errors.ts';
import { loginRequiredError } from '../errors/login-required.ts';
import type { Clock } from '../machine/clock.ts';
import type { McpServerRegistry } from '../mcp/client/server-registry.ts';
import { ALL_ACCOUNTS } from '../trading/account-entry.ts';
import type { AgentOptions, App } from './app.ts';

/** Dependencies that an app's caller supplies. The app uses the terminal only through `tell` and `askSecret`. */
export interface AppOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** A `fetch` for URLs whose path may contain a secret. It logs only the host. Defaults to `fetch`. */
  readonly redactedFetch?: typeof fetch;
  readonly signal: AbortSignal;
  readonly profileOption?: string | undefined;
  /** The address of a server, used instead of a profile. */
  readonly serverOption?: string | undefined;
  /** An account by number, broker or label, or `all`. */
  readonly accountOption?: string | undefined;
  /** Shows the person a line, such as progress or a warning. External text must be sanitized first. */
  readonly tell: (line: string) => void;
  /** Asks for a secret without echoing it. Absent if nobody can be asked. */
  readonly askSecret?: ((question: string) => Promise<string>) | undefined;
}

/** The parts of an app that are different on this machine and on a server that acts for a person. */
export interface AppParts
  extends Pick<
    App,
    'home' | 'config' | 'sandbox' | 'profile' | 'writtenProfile' | 'store' | 'openStore' | 'foreignTools'
  > {
  /** Opens the session. Resolves with undefined if nobody is signed in. */
  openSession(readOnly: boolean): Promise<Session | undefined>;
  /** Starts an agent for the account of `app`. */
  startAgent(app: App, wanted: AgentOptions): Promise<Agent>;
}

/** Creates this machine's app, with its files, profile and credential store. */
export function createApp(options: AppOptions): App {
  const { env, clock } = options;
  const parts = persistentParts(options, selectedProfileName(options));
  const { home, profile, store } = parts;
  const app: App = assembleApp(options, {
    ...parts,
    async openSession(readOnly) {
      const wanted = {
        profile: await profile(),
        store: await store(),
        home: await home(),
        fetch: options.fetch,
        clock,
        readOnly,
      };
      if (wanted.profile.company !== undefined) {
        const { openCompanySession } = await import('../auth/company/company-session.ts');
        return openCompanySession(wanted);
      }
      const { openSession } = await import('../auth/session/token-session.ts');
      if (env.TRADE_AGENT_REFRESH_TOKEN_FILE) {
        const { adoptRefreshToken } = await import('../auth/session/adopt-refresh-token.ts');
        await adoptRefreshToken(wanted.profile, wanted.store, wanted);
      }
      return openSession(wanted);
    },
    async foreignTools() {
      if ((await profile()).mcp_servers === undefined) return undefined;
      const { openMcpServerRegistry } = await import('./mcp/servers.ts');
      return openMcpServerRegistry(app);
    },
    async startAgent(own, wanted) {
      const { startAgent } = await import('./start-agent.ts');
      return await startAgent(own, wanted);
    },
  });
  return app;
}

function selectedProfileName({ env, profileOption, serverOption }: AppOptions): string | undefined {
  if (serverOption !== undefined) return serverProfileName(serverOption);
  return profileOption ?? (env.TRADE_AGENT_PROFILE || undefined);
}

/** Creates an app from its parts. The session and the agent are opened on first use. */
export function assembleApp(options: AppOptions, parts: AppParts): App {
  const { env, clock, signal, tell, accountOption } = options;
  const { startAgent, openSession, ...settled } = parts;
  let session: Promise<Session | undefined> | undefined;
  let agent: Promise<Agent> | undefined;
  let foreign: Promise<McpServerRegistry | undefined> | undefined;
  let readOnly = false;
  let account: Promise<string> | undefined;

  const started = async (own: App, wanted: AgentOptions) => {
    if (wanted.readOnly || wanted.dryRun) own.limitToReading();
    return await startAgent(own, wanted);
  };

  const app: App = {
    env,
    clock,
    fetch: options.fetch,
    redactedFetch: options.redactedFetch ?? options.fetch,
    signal,
    profileOptions: profileOptions(options),
    profileName: selectedProfileName(options),
    tell,
    ...settled,
    limitToReading() {
      readOnly = true;
    },
    session() {
      session ??= openSession(readOnly);
      return session;
    },
    async requireSession() {
      const found = await app.session();
      if (found !== undefined) return found;
      throw loginRequiredError(undefined, app.profileOptions);
    },
    async gateway() {
      const number = await app.account();
      const gateway = await app.usersGateway();
      return number === undefined ? gateway : gateway.inAccount(number);
    },
    isAllAccounts: accountOption === ALL_ACCOUNTS,
    async account() {
      if (accountOption === undefined) return undefined;
      if (app.isAllAccounts) throw oneAccountOnly();
      account ??= resolveAccountNumber(accountOption, () => app.accounts());
      return await account;
    },
    async usersGateway() {
      const { createGatewayClient } = await import('../tools/gateway/gateway-client.ts');
      return createGatewayClient(await app.requireSession(), { signal });
    },
    accounts: async () => (await app.usersGateway()).accounts(),
    inAccount: (number) => singleAccountApp(app, number, started),
    foreignTools() {
      foreign ??= parts.foreignTools();
      return foreign;
    },
    agent(wanted) {
      agent ??= started(app, wanted);
      return agent;
    },
    async reset() {
      const running = agent;
      const servers = foreign;
      foreign = undefined;
      session = undefined;
      agent = undefined;
      account = undefined;
      await (await running?.catch(() => undefined))?.close();
      await (await servers?.catch(() => undefined))?.close();
    },
    close: () => app.reset(),
  };
  return app;
}

function singleAccountApp(app: App, number: string | undefined, started: AppParts['startAgent']): App {
  let agent: Promise<Agent> | undefined;
  const close = async () => (await agent?.catch(() => undefined))?.close();
  const own: App = {
    ...app,
    isAllAccounts: false,
    account: async () => number,
    async gateway() {
      const gateway = await app.usersGateway();
      return number === undefined ? gateway : gateway.inAccount(number);
    },
    agent(wanted) {
      agent ??= started(own, wanted);
      return agent;
    },
    reset: close,
    close,
  };
  return own;
}

/** Finds an account by number, broker or label. @throws {TradeAgentError} `usage` for an unknown account */
async function resolveAccountNumber(called: string, list: App['accounts']): Promise<string> {
  const { resolveAccount } = await import('../tools/gateway/account-requests.ts');
  return resolveAccount(called, await list()).account;
}

function oneAccountOnly(): TradeAgentError {
  return new TradeAgentError('usage', 'this command works on one account at a time', {
    hint: 'Choose one with --account, or omit --account to use the default account. "trade-agent accounts" lists them.',
    details: { field: 'account' },
  });
}

function profileOptions({ profileOption, serverOption }: AppOptions): string[] {
  if (serverOption !== undefined) return ['--server', serverOption];
  return profileOption === undefined ? [] : ['--profile', profileOption];
}

/** Creates the parts of an app that do not change when the person signs in or out. */
function persistentParts(options: AppOptions, profileName: string | undefined) {
  const { env, signal, tell } = options;
  const home = memoize(async () => (await import('../machine/directories.ts')).resolveUserDirs(env));
  const config = memoize(async () => {
    const written = (await import('../config/config-file.ts')).loadConfig(await home());
    if (options.serverOption === undefined || profileName === undefined) return await written;
    const { withServerProfile } = await import('./server/server-profile.ts');
    return withServerProfile(await written, profileName, options);
  });
  const sandbox = memoize(async () => {
    const { ensureSandbox } = await import('./sandbox-connection.ts');
    return ensureSandbox({ sandboxHome: (await home()).sandbox, env, start: true, notice: tell });
  });
  const writtenProfile = async () => {
    const { findProfile } = await import('../config/resolve-profile.ts');
    return findProfile(await config(), profileName);
  };
  const profile = memoize(async () => {
    const { resolveProfile } = await import('../config/resolve-profile.ts');
    const found = await writtenProfile();
    if (found.server !== undefined) {
      const { resolveServerProfile } = await import('./server/server-profile.ts');
      return resolveServerProfile(options, await home(), await config(), profileName);
    }
    if (found.sandbox) return resolveProfile(await config(), profileName, await sandbox());
    const { capApprovalTtl } = await import('../auth/provider/dialects.ts');
    return capApprovalTtl(resolveProfile(await config(), profileName));
  });
  const passphrases = memoize(async () => {
    const { createPassphraseKeysFromEnv } = await import('../secrets/places/open-credential-store.ts');
    return createPassphraseKeysFromEnv(env, options.askSecret, signal);
  });
  const openStore = async (place: Pick<ResolvedProfile, 'name'> & CredentialLocation) => {
    const { openCredentialStore } = await import('../secrets/places/open-credential-store.ts');
    return openCredentialStore(place, await home(), {
      env,
      ...(place.credential_key === 'passphrase' ? { passphrases: await passphrases() } : {}),
    });
  };
  const store = memoize(async () => {
    const { prefetchCredentials } = await import('../secrets/prefetched-store.ts');
    const { credentialStoreKind } = await import('../config/resolve-profile.ts');
    const found = await writtenProfile();
    // A sandbox's credentials can be read even if the sandbox is not running.
    const place = found.sandbox ? { ...found, credential_store: credentialStoreKind(found) } : await profile();
    const opened = await openStore(place);
    if (env.TRADE_AGENT_REFRESH_TOKEN !== undefined || env.TRADE_AGENT_REFRESH_TOKEN_FILE) {
      const { sessionFileLocation, openSessionFileStore } = await import('../secrets/session-file.ts');
      const warn = (message: string) => tell(`warning: ${message}`);
      // Nothing is prefetched, because a command that brings its own session may not need the keychain.
      return openSessionFileStore(opened, sessionFileLocation(env), warn, signal);
    }
    // Reads everything that a command may need in one call, because each keychain call starts a process.
    const { credentialNames } = await import('../secrets/credential-store.ts');
    const prefetched = await prefetchCredentials(opened, credentialNames);
    if (opened.notice !== undefined) tell(opened.notice);
    return prefetched;
  });
  return { home, config, sandbox, profile, writtenProfile, store, openStore };
}

function memoize<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
