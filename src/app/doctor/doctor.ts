import { statSync } from 'node:fs';
import { modelServerUrl, resolveModelServer } from '../../agent/model/model-server.ts';
import { companyHost } from '../../auth/company/company-failure.ts';
import { getProviderMetadata } from '../../auth/provider/provider.ts';
import { configFilePath } from '../../config/config-file.ts';
import type { ResolvedProfile } from '../../config/profile.ts';
import { toErrorObject } from '../../errors/error-object.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import { NOT_SIGNED_IN } from '../../errors/login-required.ts';
import { DEVICE_GRANT, ID_JAG_PROFILE, ID_JAG_TYPE, TOKEN_EXCHANGE_GRANT } from '../../oauth/oauth-names.ts';
import { loadModelKey } from '../../secrets/model-key.ts';
import { safeLine } from '../../text/sanitize.ts';
import type { App } from '../app.ts';
import { readModelNames, requestModels } from '../model-list.ts';
import { version } from '../version.ts';
import { type Finding, fail, ok, skip, warn } from './finding.ts';
import { checkBroker, checkGateway, checkGatewayClock, checkProvider } from './server-checks.ts';

/**
 * Checks everything that a run depends on. Does not start the sandbox, and prints no secrets.
 * @param options.checkUpdates also asks the package registry for a newer version
 * @returns `ok` is false if a check failed
 */
export async function runDoctor(
  app: App,
  options: { readonly checkUpdates: boolean },
): Promise<{ readonly ok: boolean; readonly findings: readonly Finding[] }> {
  const { signal, env } = app;
  const findings = [
    checkNode(),
    ...(await runGuarded('config', signal, () => checkConfig(app))),
    ...(options.checkUpdates
      ? await runGuarded('updates', signal, async () =>
          env.npm_config_registry
            ? checkUpdates(app, env.npm_config_registry)
            : skip(
                'updates',
                'run this command through npm, which sets the registry: npx trade-agent doctor --check-updates',
              ),
        )
      : []),
  ];
  const broken = findings.some(({ check, status }) => check === 'config' && status === 'fail');
  findings.push(...(broken ? [skip('profile', 'fix the configuration first')] : await checkProfile(app)));
  return { ok: findings.every(({ status }) => status !== 'fail'), findings };
}

async function checkProfile(app: App): Promise<Finding[]> {
  const { signal } = app;
  const sleeping = await checkStoppedSandbox(app);
  if (sleeping !== undefined) return [sleeping];
  const profile = await app.profile().catch((error: unknown) => failedFinding('profile', error));
  if ('check' in profile) return [profile];
  const where = `${profile.name}, ${profile.environment}${profile.sandbox ? ', sandbox' : ''}`;
  const store = await runGuarded('credentials', signal, () => checkCredentialStore(app));
  const usable = store.every(({ status }) => status !== 'fail');
  const needsStore = (check: string, work: () => Promise<Finding>) =>
    usable ? runGuarded(check, signal, work) : [skip(check, 'requires the credential store')];
  const groups = await Promise.all([
    runGuarded('provider', signal, () => checkProvider(app, profile)),
    runGuarded('gateway', signal, () => checkGateway(app, profile)),
    runGuarded('gateway_clock', signal, () => checkGatewayClock(app, profile)),
    runGuarded('company', signal, () => checkCompany(app, profile)),
    needsStore('session', () => checkSession(app)),
    needsStore('broker', () => checkBroker(app, profile)),
    runGuarded('model', signal, () => checkModel(app, profile, usable)),
    checkMcpServers(profile),
    needsStore('state', () => checkState(app)),
  ]);
  return [{ check: 'profile', status: 'ok', message: where }, ...store, ...groups.flat()];
}

/** Warns about a stopped sandbox. This is not a failure, because the next command starts the sandbox. */
async function checkStoppedSandbox(app: App): Promise<Finding | undefined> {
  const { findProfile } = await import('../../config/resolve-profile.ts');
  const { ensureSandbox } = await import('../sandbox-connection.ts');
  try {
    if (!findProfile(await app.config(), app.profileName).sandbox) return undefined;
    await ensureSandbox({ sandboxHome: (await app.home()).sandbox, env: app.env, start: false });
    return undefined;
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'provider_unreachable') return undefined;
    return app.env.TRADE_AGENT_SANDBOX
      ? failedFinding('sandbox', error)
      : warn('sandbox', 'not running, so its services were not checked', 'trade-agent sandbox');
  }
}

/** Runs a check. Converts an error to a finding, unless the command was interrupted. */
async function runGuarded(
  check: string,
  signal: AbortSignal,
  work: () => Promise<Finding | Finding[]>,
): Promise<Finding[]> {
  try {
    return [await work()].flat();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return [failedFinding(check, error)];
  }
}

function failedFinding(check: string, error: unknown): Finding {
  const { message, hint } = toErrorObject(error);
  return fail(check, message, hint ?? 'Try again with --verbose.');
}

/** Warns about tools that a language model may call without approval on the phone. Contacts no server. */
export function checkMcpServers({ mcp_servers: servers = {} }: Pick<ResolvedProfile, 'mcp_servers'>): Finding[] {
  const names = Object.keys(servers);
  if (names.length === 0) return [];
  const found = Object.entries(servers).flatMap(([name, { enabled, tools, unsafe }]) => {
    const allowed = unsafe.filter((tool) => tools.includes(tool));
    if (!enabled || allowed.length === 0) return [];
    return warn(
      'mcp',
      `MCP server ${name}: --unsafe allows these tools to run without approval on your phone: ${allowed.map((tool) => safeLine(tool)).join(', ')}`,
      `trade-agent mcp servers remove ${name}`,
      { server: name, unsafe: allowed },
    );
  });
  return found.length > 0 ? found : [ok('mcp', `MCP servers: ${names.join(', ')}`)];
}

/** The oldest supported Node.js version. bin/trade-agent.js rejects older ones. */
const MIN_NODE_VERSION = [22, 14] as const;

export function checkNode(running = process.versions.node): Finding {
  const [major = 0, minor = 0] = running.split('.').map(Number);
  const enough = major > MIN_NODE_VERSION[0] || (major === MIN_NODE_VERSION[0] && minor >= MIN_NODE_VERSION[1]);
  const message = `Node ${running}, trade-agent ${version()}`;
  return enough
    ? ok('node', message)
    : fail('node', message, `Install Node ${MIN_NODE_VERSION.join('.')} or newer from https://nodejs.org.`);
}

async function checkConfig(app: App): Promise<Finding> {
  const file = configFilePath(await app.home());
  const { profiles } = await app.config();
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) return ok('config', `${file} does not exist yet; the sandbox doesn't need it`);
  const names = Object.keys(profiles);
  const message = `${file}: ${names.length === 0 ? 'no profiles' : `profiles ${names.join(', ')}`}`;
  // The file contains no secrets, but anyone who can write it can redirect requests to another gateway.
  if (process.platform !== 'win32' && (mode & 0o022) !== 0) {
    return fail('config', `${file} is writable by other users`, `chmod 600 '${file}'`);
  }
  return ok('config', message);
}

async function checkCredentialStore(app: App): Promise<Finding> {
  const profile = await app.profile();
  const store = await app.store();
  await store.probe();
  const message = `${profile.credential_store === 'file' ? 'the encrypted file' : 'the system keychain'} works (test value stored and read)`;
  return ok('credentials', message, { kind: profile.credential_store });
}

async function checkSession(app: App): Promise<Finding> {
  const session = await app.session();
  if (session === undefined) return warn('session', NOT_SIGNED_IN, 'trade-agent login');
  const { name, email, sub } = session.user;
  return ok('session', `signed in as ${name ?? email ?? sub}`);
}

async function checkState(app: App): Promise<Finding> {
  const approvals = await (await app.agent({})).approvals();
  const count = (...statuses: string[]) => approvals.filter(({ status }) => statuses.includes(status)).length;
  const pending = count('drafted', 'requested', 'approved');
  const unknown = count('unknown', 'executing');
  const details = { approvals: approvals.length, pending, unknown };
  if (unknown > 0) {
    const message = `${unknown} ${unknown === 1 ? 'order has' : 'orders have'} an unknown outcome`;
    return warn('state', message, 'trade-agent approvals reconcile', details);
  }
  return ok('state', `${approvals.length} approvals, ${pending} pending`, details);
}

async function checkUpdates(app: App, registry: string): Promise<Finding> {
  const url = `${registry.replace(/\/+$/, '')}/trade-agent/latest`;
  try {
    const response = await app.fetch(url, {
      signal: AbortSignal.any([app.signal, AbortSignal.timeout(5000)]),
    });
    if (response.status === 404) return skip('updates', `${registry} doesn't have this package`);
    const latest = ((await response.json()) as { version?: unknown }).version;
    if (!response.ok || typeof latest !== 'string') throw new Error('no version');
    if (isNewer(latest, version())) {
      return warn('updates', `trade-agent ${latest} is available; you have ${version()}`, 'npm install -g trade-agent');
    }
    return ok('updates', `${version()} is the latest`);
  } catch (error) {
    if (isTradeAgentError(error)) throw error;
    return warn('updates', `${registry} can't be reached`, 'Check your network.');
  }
}

function isNewer(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => text.split(/[.-]/).map(Number));
  for (const i of [0, 1, 2]) {
    const difference = (x?.[i] ?? 0) - (y?.[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

const MODEL_TIMEOUT_MS = 5000;

/** Checks the model's server by listing its models, which is free and verifies the API key. */
async function checkModel(app: App, profile: ResolvedProfile, storeUsable: boolean): Promise<Finding> {
  if (profile.model.provider === 'builtin') {
    return ok('model', 'the built-in planner: works offline, understands simple requests', {
      provider: 'builtin',
    });
  }
  const stored = storeUsable ? await loadModelKey(await app.store(), modelServerUrl(profile.model)) : undefined;
  const server = resolveModelServer(profile.model, app.env, stored);
  const host = new URL(server.url).host;
  const details = { provider: 'openai', name: server.name, url: server.url, key: server.key !== undefined };
  let response: Response;
  try {
    response = await requestModels(app, server, MODEL_TIMEOUT_MS);
  } catch {
    app.signal.throwIfAborted();
    return fail('model', `${host} can't be reached`, "Start the model's server, or use --model builtin.", details);
  }
  if (response.status === 401 || response.status === 403) {
    return fail('model', `${host} rejected the API key`, `Check ${server.keyVariable}.`, details);
  }
  const names = response.ok ? await readModelNames(response) : undefined;
  if (names === undefined) {
    return warn(
      'model',
      `${host} does not list its models (HTTP status ${response.status})`,
      'Try the model with "trade-agent run".',
      details,
    );
  }
  return names.includes(server.name)
    ? ok('model', `${server.name} at ${host}`, details)
    : warn(
        'model',
        `${host} does not list ${server.name}`,
        'Check model.name, or load the model on that server.',
        details,
      );
}

const COMPANY_TIMEOUT_S = 5;

/** Checks that the profile's company can sign people in and that the home accepts its assertions. */
async function checkCompany(app: App, profile: ResolvedProfile): Promise<Finding[]> {
  const { company, issuer } = profile;
  if (company === undefined) return [];
  const access = { clock: app.clock, fetch: app.fetch, timeoutSeconds: COMPANY_TIMEOUT_S };
  const theirs = await getProviderMetadata(company.issuer, access);
  const name = companyHost(company);
  const details = { issuer: company.issuer, client_id: company.client_id };
  const grants = stringList(theirs.grant_types_supported);
  const lacking = [
    ...(theirs.device_authorization_endpoint === undefined || grants?.includes(DEVICE_GRANT) === false
      ? ['the device flow']
      : []),
    ...(grants?.includes(TOKEN_EXCHANGE_GRANT) === false ? ['token exchange'] : []),
  ];
  if (lacking.length > 0) {
    const fix = `Ask whoever runs ${name} to enable it.`;
    return [fail('company', `${company.issuer} doesn't support ${lacking.join(' and ')}`, fix, details)];
  }
  const ours = await getProviderMetadata(issuer, access);
  if (stringList(ours.authorization_grant_profiles_supported)?.includes(ID_JAG_PROFILE) !== true) {
    const fix = 'Ask whoever runs the home to add the company to home.yaml (docs/operate/COMPANY.md).';
    return [fail('company', `${issuer} does not accept sign-ins from companies`, fix, details)];
  }
  if (stringList(theirs.identity_chaining_requested_token_types_supported)?.includes(ID_JAG_TYPE) !== true) {
    const fix = `Ask whoever runs ${name} whether it issues ID-JAGs (Cross App Access).`;
    return [
      warn(
        'company',
        `${company.issuer} does not advertise that it can sign people in to other services`,
        fix,
        details,
      ),
    ];
  }
  return [ok('company', `${company.issuer} can sign people in to ${issuer}, which accepts its assertions`, details)];
}

function stringList(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined;
}
