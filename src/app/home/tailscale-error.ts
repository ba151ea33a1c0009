import { TradeAgentError } from '../../errors/errors.ts';
import { safeLine } from '../../text/sanitize.ts';

export const TAILSCALE_CONSOLE = 'https://login.tailscale.com/admin';

const MAX_LINE_LENGTH = 200;

/**
 * Known texts of the `tailscale` program, each with its meaning and its remedy. The texts are from the packages
 * `cmd/tailscale/cli`, `client/local`, `ipn` and `ipn/ipnlocal`. The first match counts, because a message about a
 * feature may quote a message from the service or the operating system.
 */
const knownOutputs: readonly (readonly [pattern: RegExp, message: string, hint: string])[] = [
  [
    /access denied/i,
    'your user may not change Tailscale’s settings',
    'Allow it once: "sudo tailscale set --operator=$USER".',
  ],
  [
    /appears to be running as.*permission denied/s,
    'your user has no access to Tailscale’s service',
    'Check it: run "tailscale status" as this user.',
  ],
  [
    /failed to connect to local tailscale/i,
    'Tailscale is not running',
    'Start it: open its app, or on Linux run "sudo systemctl start tailscaled".',
  ],
  [
    /HTTPS must be enabled|enabling https feature/,
    'your Tailscale network does not allow HTTPS certificates',
    `Turn them on: ${TAILSCALE_CONSOLE}/dns`,
  ],
  [
    /"funnel" node attribute|not allowed for funnel/,
    'your Tailscale network does not allow Funnel on this machine',
    'Allow it: https://tailscale.com/s/no-funnel',
  ],
  [
    /shields-up/,
    'Tailscale blocks incoming connections on this machine',
    'Allow them: "sudo tailscale set --shields-up=false".',
  ],
  [
    /listener already exists|already serving/,
    'another program uses port 443 of this machine’s Tailscale name',
    'See "tailscale serve status", and end that program.',
  ],
];

/** Returns an `invalid_config` error. */
export function tailscaleError(message: string, hint: string): TradeAgentError {
  return new TradeAgentError('invalid_config', message, { hint });
}

/** Returns an error that explains the output of the program. @param otherwise the message if it printed nothing */
export function explainTailscaleOutput(text: string, otherwise: string): TradeAgentError {
  const known = knownOutputs.find(([pattern]) => pattern.test(text));
  if (known !== undefined) return tailscaleError(known[1], known[2]);
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  // An error in the arguments is followed by a line that names the program's help.
  const line = lines.find((one) => /^error: /i.test(one)) ?? lines.at(-1);
  const message = line === undefined ? otherwise : `Tailscale: ${safeLine(line, MAX_LINE_LENGTH).replace(/\.$/, '')}`;
  return tailscaleError(message, 'See "tailscale status".');
}
