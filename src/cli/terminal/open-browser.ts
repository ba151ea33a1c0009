import { TradeAgentError } from '../../errors/errors.ts';
import type { Io } from './io.ts';

/** Opens an address that the identity provider sent; says so if there is no browser. */
export async function openBrowser({ io }: { readonly io: Io }, address: string): Promise<void> {
  // Only a web page may be opened.
  if (!/^https?:\/\//.test(address)) {
    throw new TradeAgentError('provider_error', 'the sign-in address is not a web address', {
      hint: 'Check the issuer in config.yaml.',
    });
  }
  await open(io, address);
}

/** Opens a page of our own, by its path. */
export async function openFile({ io }: { readonly io: Io }, path: string): Promise<void> {
  await open(io, path);
}

async function open(io: Io, what: string): Promise<void> {
  try {
    const { default: openWith } = await import('open');
    const child = await openWith(what);
    child.on('error', () => io.talk('No browser could be opened; open the address yourself.'));
  } catch {
    io.talk('No browser could be opened; open the address yourself.');
  }
}
