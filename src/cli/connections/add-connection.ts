import { type ConnectingAccount, connectAccount } from '../../auth/connections/connect-account.ts';
import { describeConnectionScopes } from '../../auth/connections/known-connections.ts';
import { machineName } from '../../machine/machine-name.ts';
import { safeLine } from '../../net/shown-text.ts';
import type { Context } from '../context.ts';
import { countdown } from '../options/duration.ts';
import { describeConnection, openAccounts, readConnectionName } from './connection-access.ts';

/** Said each time: a link that somebody sent connects one's account to the sender's (RFC 10027, BCP 247). */
const warning =
  'Only go on if you started this yourself, just now. A link that someone sent you is an attempt to get at your account.';

type Described = Awaited<ReturnType<typeof describeConnection>>;

/** Connects an account: shows what is asked and where to sign in, and waits until the person has done so. */
export async function addConnection(
  context: Context,
  text: string,
  options: { open: boolean; redirectPort: number },
): Promise<void> {
  const { output, signal, clock } = context;
  const described = await describeConnection(context, readConnectionName(text));
  const { accounts, finish } = await openAccounts(context);
  const { provider_name: connection, scopes } = described;
  const earlier = (await accounts.list()).find((account) => account.connection === connection);
  if (earlier !== undefined) return report(context, described, earlier.scopes ?? scopes, true);

  const started = await connectAccount(accounts, {
    connection,
    scopes,
    finish,
    redirectPort: options.redirectPort,
    clock,
  });
  try {
    output.event({
      type: 'connection_link',
      name: described.name,
      address: started.address,
      expires_at: new Date(started.expiresAt).toISOString(),
    });
    if (output.format !== 'stream-json') await showLink(context, described, started, finish);
    if (options.open) {
      const { openBrowser } = await import('../terminal/open-browser.ts');
      await openBrowser(context, started.address);
    }
    const account = await started.complete(signal);
    await report(context, described, account.scopes ?? scopes, false);
  } finally {
    await started.close();
  }
}

async function report(
  context: Context,
  { name, label, provider_name }: Described,
  scopes: readonly string[],
  already: boolean,
): Promise<void> {
  await context.output.result(
    'connection',
    { name, provider_name, connected: true, already, scopes: [...scopes] },
    () => (already ? `${capital(label)} is connected already.` : `Connected ${label}.`),
  );
}

async function showLink(
  context: Context,
  described: Described,
  started: ConnectingAccount,
  finish: 'provider' | 'loopback',
): Promise<void> {
  const { wrapWords } = await import('../text/wrap.ts');
  const { io, clock } = context;
  const profile = await context.profile();
  io.talk(`Connect ${described.label}: you sign in there, and allow it`);
  io.talk(`  by      trade-agent on ${safeLine(machineName())}`);
  const asks = `to ${describeConnectionScopes(described.scopes).join(', ')}`;
  for (const [index, line] of wrapWords(asks, io.width() - 10).entries()) {
    io.talk(`${index === 0 ? '  asks    ' : ' '.repeat(10)}${line}`);
  }
  io.talk(`  open    ${io.paint('stderr', 'underline', safeLine(started.address))}`);
  if (profile.sandbox) {
    io.talk(`  or      trade-agent phone connect ${safeLine(started.ticket)}   (in another terminal)`);
  }
  if (finish === 'loopback') io.talk('          in a browser on this machine: it comes back here');
  io.talk(`  valid   ${countdown(started.expiresAt - clock.now())}`);
  if (io.stderrIsTty && finish === 'provider') {
    const { showQrCode } = await import('../text/show-qr-code.ts');
    await showQrCode(context, started.address);
  }
  io.talk('');
  for (const line of wrapWords(warning, io.width())) io.talk(line);
  io.talk('Waiting …');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
