import stringWidth from 'string-width';
import type { Io } from '../terminal/io.ts';

/**
 * An address as a QR code in half-block characters, one string a row; empty where it would not fit or could not be
 * read: a code that wraps can't be scanned.
 */
export async function qrRows(
  address: string,
  screen: { readonly columns: number; readonly rows: number; readonly unicode: boolean },
): Promise<string[]> {
  if (!screen.unicode) return [];
  const { default: qrcode } = await import('qrcode');
  // An odd margin makes this renderer throw: it draws two rows as one.
  const code = await qrcode.toString(address, { type: 'utf8', margin: 2, errorCorrectionLevel: 'L' });
  const rows = code.split('\n').filter((row) => row !== '');
  const width = Math.max(...rows.map((row) => stringWidth(row)));
  return width <= screen.columns && rows.length <= screen.rows ? rows : [];
}

/** An address as a QR code on stderr, where the terminal is wide enough for it to be scanned. */
export async function showQrCode({ io }: { readonly io: Io }, address: string): Promise<void> {
  const { default: qrcode } = await import('qrcode');
  const { stripVTControlCharacters } = await import('node:util');
  // Black on white where colours may be used: cameras don't all read a light code on a dark ground.
  const code = io.color.stderr
    ? await qrcode.toString(address, { type: 'terminal', small: true })
    : // An odd margin makes this renderer throw: it draws two rows as one.
      await qrcode.toString(address, { type: 'utf8', margin: 2 });
  const rows = code.split('\n').filter((row) => row !== '');
  // A code that wraps can't be scanned.
  const width = Math.max(...rows.map((row) => stripVTControlCharacters(row).length));
  if (!io.unicode || width > io.width()) return;
  io.talk('');
  for (const row of rows) io.talk(row);
}
