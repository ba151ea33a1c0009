import type { ConnectionLink } from '../../../app/index.ts';
import {
  type ConnectionName,
  connectionNames,
  describeConnectionScopes,
} from '../../../auth/connections/known-connections.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { getMachineName } from '../../../machine/machine-name.ts';
import { safeLine } from '../../../text/sanitize.ts';
import type { Context } from '../../context/context.ts';
import { formatCountdown } from '../../options/duration.ts';
import { showQrCode } from '../../text/qr-code.ts';
import { wrapWords } from '../../text/wrap.ts';

/**
 * The warning appears with every link, because an attacker could send a link that gives the attacker access to the
 * person's account (BCP 247).
 */
const warning =
  'Only continue if you just started this yourself. If someone sent you this link, it is an attempt to access your account.';

export async function showConnectionLink(context: Context, link: ConnectionLink): Promise<void> {
  const { io, clock } = context;
  const profile = await context.profile();
  io.talk(`Connect ${link.label}: sign in and allow access`);
  io.talk(`  by      trade-agent on ${safeLine(getMachineName())}`);
  const asks = `to ${describeConnectionScopes(link.scopes).join(', ')}`;
  for (const [index, line] of wrapWords(asks, io.width() - 10).entries()) {
    io.talk(`${index === 0 ? '  asks    ' : ' '.repeat(10)}${line}`);
  }
  io.talk(`  open    ${io.paint('stderr', 'underline', safeLine(link.address))}`);
  if (profile.sandbox) {
    io.talk(`  or      trade-agent phone connect ${safeLine(link.ticket)}   (in another terminal)`);
  }
  if (link.finish === 'loopback') io.talk('          only in a browser on this machine');
  io.talk(`  valid   ${formatCountdown(link.expiresAt - clock.now())}`);
  if (io.stderrIsTty && link.finish === 'provider') await showQrCode(context, link.address);
  io.talk('');
  for (const line of wrapWords(warning, io.width())) io.talk(line);
  io.talk('Waiting…');
}

export function parseConnectionName(text: string): ConnectionName {
  const name = connectionNames.find((known) => known === text);
  if (name !== undefined) return name;
  throw new TradeAgentError('usage', `there is no connection "${text}"`, {
    hint: `Choose from ${connectionNames.join(', ')}.`,
  });
}
