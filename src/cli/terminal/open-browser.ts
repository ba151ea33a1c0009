import { TradeAgentError } from '../../errors/errors.ts';
import type { Io } from './io.ts';

/** Opens an address from the identity provider. Prints a message if no browser can be opened. */
export async function openBrowser({ io }: { readonly io: Io }, address: string): Promise<void> {
  // An address with another scheme could start any program.
  if (!/^https?:\/\//.test(address)) {
    throw new TradeAgentError('provider_error', 'the sign-in address is not a web address', {
      hint: 'Check the issuer in config.yaml.',
    });
  }
  await openTarget(io, address);
}

export async function openFile({ io }: { readonly io: Io }, path: string): Promise<void> {
  await openTarget(io, path);
}

async function openTarget(io: Io, what: string): Promise<void> {
  try {
    const { default: openWith } = await import('open');
    const child = await openWith(what);
    child.on('error', () => io.talk('Could not open a browser. Open the address yourself.'));
  } catch {
    io.talk('Could not open a browser. Open the address yourself.');
  }
}
