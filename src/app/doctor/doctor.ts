import type { ResolvedProfile } from '../../config/profile.ts';
import { errorObject } from '../../errors/error-object.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import { safeLine } from '../../text/shown-text.ts';
import type { App } from '../app.ts';
import { checkCompany } from './company-check.ts';
import { type Finding, fail, ok, skip, warn } from './finding.ts';
import {
  checkConfig,
  checkCredentialStore,
  checkNode,
  checkSession,
  checkState,
  checkUpdates,
} from './machine-checks.ts';
import { checkModel } from './model-check.ts';
import { checkBroker, checkGateway, checkGatewayClock, checkProvider } from './server-checks.ts';

/**
 * Looks at everything a run depends on. Starts nothing, changes nothing, and says nothing secret.
 * @param options.checkUpdates also ask the package registry whether there is a newer version
 * @returns with `ok` false where something is wrong
 */
export async function doctor(
  app: App,
  options: { readonly checkUpdates: boolean },
): Promise<{ readonly ok: boolean; readonly findings: readonly Finding[] }> {
  const { signal, env } = app;
  const findings = [
    checkNode(),
    ...(await within('config', signal, () => checkConfig(app))),
    ...(options.checkUpdates
      ? await within('updates', signal, async () =>
          env.npm_config_registry
            ? checkUpdates(app, env.npm_config_registry)
            : skip(
                'updates',
                'ask through npm, which knows its registry: npx trade-agent doctor --check-updates',
              ),
        )
      : []),
  ];
  const broken = findings.some(({ check, status }) => check === 'config' && status === 'fail');
  findings.push(...(broken ? [skip('profile', 'the configuration comes first')] : await checkProfile(app)));
  return { ok: findings.every(({ status }) => status !== 'fail'), findings };
}

/** Everything that needs a profile's addresses. */
async function checkProfile(app: App): Promise<Finding[]> {
  const { signal } = app;
  const sleeping = await sleepingSandbox(app);
  if (sleeping !== undefined) return [sleeping];
  const profile = await app.profile().catch((error: unknown) => failed('profile', error));
  if ('check' in profile) return [profile];
  const where = `${profile.name}, ${profile.environment}${profile.sandbox ? ', the sandbox' : ''}`;
  const store = await within('credentials', signal, () => checkCredentialStore(app));
  const usable = store.every(({ status }) => status !== 'fail');
  const needsStore = (check: string, work: () => Promise<Finding>) =>
    usable ? within(check, signal, work) : [skip(check, 'needs the credential store')];
  const groups = await Promise.all([
    within('provider', signal, () => checkProvider(app, profile)),
    within('gateway', signal, () => checkGateway(app, profile)),
    within('gateway_clock', signal, () => checkGatewayClock(app, profile)),
    within('company', signal, () => checkCompany(app, profile)),
    needsStore('session', () => checkSession(app)),
    needsStore('broker', () => checkBroker(app, profile)),
    within('model', signal, () => checkModel(app, profile, usable)),
    checkMcpServers(profile),
    needsStore('state', () => checkState(app)),
  ]);
  return [{ check: 'profile', status: 'ok', message: where }, ...store, ...groups.flat()];
}

/** A doctor starts nothing: a sandbox that isn't up is no illness, since the next command starts it. */
async function sleepingSandbox(app: App): Promise<Finding | undefined> {
  const { findProfile } = await import('../../config/resolve-profile.ts');
  const { ensureSandbox } = await import('../sandbox-connection.ts');
  try {
    if (!findProfile(await app.config(), app.profileName).sandbox) return undefined;
    await ensureSandbox({ sandboxHome: (await app.home()).sandbox, env: app.env, start: false });
    return undefined;
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'provider_unreachable') return undefined;
    return app.env.TRADE_AGENT_SANDBOX
      ? failed('sandbox', error)
      : warn('sandbox', 'it is not running, so its parts were not checked', 'trade-agent sandbox');
  }
}

/** A check that fails becomes a finding; one that was interrupted ends the command. */
async function within(
  check: string,
  signal: AbortSignal,
  work: () => Promise<Finding | Finding[]>,
): Promise<Finding[]> {
  try {
    return [await work()].flat();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return [failed(check, error)];
  }
}

function failed(check: string, error: unknown): Finding {
  const { message, hint } = errorObject(error);
  return fail(check, message, hint ?? 'Try again with --verbose.');
}

/** Whether a language model was given tools that could act past the phone. Asks no server anything. */
export function checkMcpServers({
  mcp_servers: servers = {},
}: Pick<ResolvedProfile, 'mcp_servers'>): Finding[] {
  const names = Object.keys(servers);
  if (names.length === 0) return [];
  const found = Object.entries(servers).flatMap(([name, { enabled, tools, unsafe }]) => {
    const allowed = unsafe.filter((tool) => tools.includes(tool));
    if (!enabled || allowed.length === 0) return [];
    return warn(
      'mcp',
      `MCP server ${name}: allowed by --unsafe, and called without your phone: ${allowed.map((tool) => safeLine(tool)).join(', ')}`,
      `trade-agent mcp servers remove ${name}`,
      { details: { server: name, unsafe: allowed } },
    );
  });
  return found.length > 0 ? found : [ok('mcp', `MCP servers: ${names.join(', ')}`)];
}
