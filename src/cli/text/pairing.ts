import type { PairingLink } from '../../app/home/users.ts';
import { isLocalAddress } from '../../home/settings/home-address.ts';
import type { Io } from '../terminal/io.ts';
import { showQrCode } from './qr-code.ts';

/** Shows the link's QR code, unless only browsers on this machine can open the link. */
export async function showPairingCode(shown: { readonly io: Io }, { url }: PairingLink): Promise<void> {
  if (!isLocalAddress(url)) await showQrCode(shown, url);
}

export function pairingText({ user, url }: PairingLink): string {
  const where = isLocalAddress(url) ? 'in a browser on this machine' : `on ${user}'s phone`;
  return `Open the link ${where} within ten minutes; it works once`;
}
