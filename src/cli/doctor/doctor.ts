import { errorObject } from '../../app/error-object.ts';
import { safeLine } from '../../net/shown-text.ts';
import { isTradeAgentError } from '../../trading/errors.ts';
import type { Context } from '../context.ts';
import { wrapWords } from '../text/wrap.ts';
import { type Finding, fail, skip, warn } from './finding.ts';
import {
  checkConfig,
  checkCredentialStore,
  checkNode,
  checkSession,
  checkState,
  checkUpdates,
} from './machine-checks.ts';
import { checkModel } from './model-check.ts';
import { checkBroker, checkGateway, checkProvider } from './server-checks.ts';

/** Looks at everything a run depends on. Exit code 0, or 1 where something is wrong. */
export async function doctor(context: Context, options: { checkUpdates: boolean }): Promise<number> {
  const { signal, env } = context;
  const findings = [
    checkNode(),
    ...(await within('config', signal, () => checkConfig(context))),
    ...(options.checkUpdates
      ? await within('updates', signal, async () =>
          env.npm_config_registry
            ? checkUpdates(context, env.npm_config_registry)
            : skip(
                'updates',
                'ask through npm, which knows its registry: npx trade-agent doctor --check-updates',
              ),
        )
      : []),
  ];
  const broken = findings.some(({ check, status }) => check === 'config' && status === 'fail');
  findings.push(
    ...(broken ? [skip('profile', 'the configuration comes first')] : await checkProfile(context)),
  );
  const isHealthy = findings.every(({ status }) => status !== 'fail');
  await context.output.result('doctor', { ok: isHealthy, findings }, () => report(context, findings));
  return isHealthy ? 0 : 1;
}

/** Everything that needs a profile's addresses. */
async function checkProfile(context: Context): Promise<Finding[]> {
  const { signal } = context;
  const sleeping = await sleepingSandbox(context);
  if (sleeping !== undefined) return [sleeping];
  const profile = await context.profile().catch((error: unknown) => failed('profile', error));
  if ('check' in profile) return [profile];
  const where = `${profile.name}, ${profile.environment}${profile.sandbox ? ', the sandbox' : ''}`;
  const store = await within('credentials', signal, () => checkCredentialStore(context));
  const usable = store.every(({ status }) => status !== 'fail');
  const needsStore = (check: string, work: () => Promise<Finding>) =>
    usable ? within(check, signal, work) : [skip(check, 'needs the credential store')];
  const groups = await Promise.all([
    within('provider', signal, () => checkProvider(context, profile)),
    within('gateway', signal, () => checkGateway(context, profile)),
    needsStore('session', () => checkSession(context)),
    needsStore('broker', () => checkBroker(context, profile)),
    within('model', signal, () => checkModel(context, profile, usable)),
    needsStore('state', () => checkState(context)),
  ]);
  return [{ check: 'profile', status: 'ok', message: where }, ...store, ...groups.flat()];
}

/** A doctor starts nothing: a sandbox that isn't up is no illness, since the next command starts it. */
async function sleepingSandbox(context: Context): Promise<Finding | undefined> {
  const { findProfile } = await import('../../config/resolve-profile.ts');
  const { ensureSandbox } = await import('../../app/sandbox-connection.ts');
  try {
    if (!findProfile(await context.config(), context.profileName).sandbox) return undefined;
    await ensureSandbox({ sandboxHome: (await context.home()).sandbox, env: context.env, start: false });
    return undefined;
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'provider_unreachable') return undefined;
    return context.env.TRADE_AGENT_SANDBOX
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

function report({ io }: Context, findings: readonly Finding[]): string {
  const signs = io.unicode
    ? { ok: '✓', warn: '!', fail: '✗', skip: '-' }
    : { ok: '+', warn: '!', fail: 'x', skip: '-' };
  const styles = { ok: 'green', warn: 'yellow', fail: 'red', skip: 'dim' } as const;
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, status, message, fix }) => {
    const room = Math.max(20, io.width() - width - 4);
    const [first = '', ...rest] = wrapWords(safeLine(message), room);
    const indent = ' '.repeat(width + 4);
    return [
      `${io.paint('stdout', styles[status], signs[status])} ${check.padEnd(width)}  ${first}`,
      ...rest.map((line) => `${indent}${line}`),
      ...(fix === undefined
        ? []
        : wrapWords(safeLine(`fix: ${fix}`), room).map((line) => `${indent}${line}`)),
    ];
  });
  const wrong = findings.filter(({ status }) => status === 'fail').length;
  return [
    ...lines,
    '',
    wrong === 0 ? 'Nothing is wrong.' : `${wrong} ${wrong === 1 ? 'thing is' : 'things are'} wrong.`,
  ].join('\n');
}
