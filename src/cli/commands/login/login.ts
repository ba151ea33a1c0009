import { exitCodes, sessionExitCodes } from '../../../app/exit-codes.ts';
import type { StartedLogin } from '../../../app/login.ts';
import type { ResolvedProfile } from '../../../config/profile.ts';
import { markInvisibleCharacters, safeLine } from '../../../text/sanitize.ts';
import { environmentName } from '../../../trading/environment.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { formatCountdown } from '../../options/duration.ts';

interface LoginOptions {
  readonly open?: boolean;
  readonly company?: string;
  readonly clientId?: string;
  readonly showKey?: boolean;
}

export function addLoginCommand(program: CliCommand): void {
  program
    .command('login')
    .summary('sign in with your phone or browser')
    .description(
      'Show a code and an address where you sign in and confirm the code. The agent can then read your account and cancel orders. Each order it places needs a separate approval.',
    )
    .option('--open', 'open the address in the browser')
    .option('--company <issuer>', "sign in with your company's identity provider")
    .option('--client-id <id>', 'the client ID registered at the company (default: trade-agent-company)')
    .option('--show-key', "print this machine's key for a company and the entry for home.yaml, without signing in")
    .examples(
      ['trade-agent login', 'shows a code to confirm on your phone'],
      ['trade-agent login --profile work --open', 'opens the page in your browser'],
      ['trade-agent login --company https://login.acme.example', 'with your company, from now on'],
      ['trade-agent login --company https://login.acme.example --show-key', 'for the administrator of the home'],
      ['trade-agent login --timeout 2m --output stream-json', 'the code as an event, for scripts'],
    )
    .exits(...sessionExitCodes, exitCodes.timedOut)
    .runs((context, options: LoginOptions) => (options.showKey ? showKey(context, options) : login(context, options)));
}

async function login(context: Context, options: LoginOptions): Promise<void> {
  const { output, signal } = context;
  const { startLogin } = await import('../../../app/login.ts');
  const profile = await context.profile();
  const started = await startLogin(context, { issuer: options.company, clientId: options.clientId });
  if (started.clockWarning !== undefined) context.io.talk(`warning: ${started.clockWarning}`);
  output.event({
    type: 'device_code',
    user_code: started.userCode,
    verification_uri: started.address,
    verification_uri_complete: started.completeAddress,
    device_name: started.machine,
    expires_at: new Date(started.expiresAt).toISOString(),
  });
  if (output.format !== 'stream-json') await showLogin(context, started, profile);
  if (options.open) {
    const { openBrowser } = await import('../../terminal/open-browser.ts');
    await openBrowser(context, started.completeAddress);
  }
  const user = await started.complete(signal);
  await output.result(
    'login',
    {
      user: { sub: user.sub, name: user.name ?? null, email: user.email ?? null },
      profile: profile.name,
      environment: profile.environment,
      company: started.company,
    },
    () => `Signed in as ${safeLine(user.name ?? user.email ?? user.sub)} (profile ${profile.name}).`,
  );
}

async function showKey(context: Context, { company: issuer, clientId }: LoginOptions): Promise<void> {
  const { loadCompanyKey } = await import('../../../app/login.ts');
  const { profile, company, key, homeYaml } = await loadCompanyKey(context, { issuer, clientId });
  await context.output.result('company-key', { profile, company, key, home_yaml: homeYaml.join('\n') }, () =>
    [
      `Client  ${safeLine(company.client_id)}, at ${safeLine(company.issuer)}`,
      `Key     ${JSON.stringify(key)}`,
      '',
      'For home.yaml of the home (add name, organization, scopes and people):',
      ...homeYaml.map(markInvisibleCharacters),
    ].join('\n'),
  );
}

async function showLogin(context: Context, started: StartedLogin, profile: ResolvedProfile): Promise<void> {
  const { wrapWords } = await import('../../text/wrap.ts');
  const { io, clock } = context;
  const where = new URL(started.issuer).host;
  io.talk(`Sign in to profile ${profile.name} (${environmentName(profile.environment)}) at ${where}`);
  io.talk('');
  io.talk(`  open    ${io.paint('stderr', 'underline', started.address)}`);
  io.talk(`  code    ${io.paint('stderr', 'bold', started.userCode)}`);
  if (started.sandboxCommand !== undefined) {
    io.talk(`  or      ${started.sandboxCommand}   (in another terminal)`);
  }
  io.talk(`  by      trade-agent on ${safeLine(started.machine)}`);
  const asks = `to ${started.asks.join(', ')} (not to place orders: each order needs your approval)`;
  for (const [index, line] of wrapWords(asks, io.width() - 10).entries()) {
    io.talk(`${index === 0 ? '  asks    ' : ' '.repeat(10)}${line}`);
  }
  io.talk(`  valid   ${formatCountdown(started.expiresAt - clock.now())}`);
  if (io.stderrIsTty) {
    const { showQrCode } = await import('../../text/qr-code.ts');
    await showQrCode(context, started.completeAddress);
  }
  io.talk('');
  for (const line of wrapWords(started.warning, io.width())) io.talk(line);
  io.talk('Waiting…');
}
