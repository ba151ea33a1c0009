import stringWidth from 'string-width';
import type { Io } from '../terminal/io.ts';

/** Renders a QR code. Returns no rows if the code does not fit, because a wrapped code can't be scanned. */
export async function qrRows(
  address: string,
  screen: { readonly columns: number; readonly rows: number; readonly unicode: boolean },
): Promise<string[]> {
  if (!screen.unicode) return [];
  const { default: qrcode } = await import('qrcode');
  // The margin must be even, because this renderer draws two rows as one and throws for an odd margin.
  const code = await qrcode.toString(address, { type: 'utf8', margin: 2, errorCorrectionLevel: 'L' });
  const rows = code.split('\n').filter((row) => row !== '');
  const width = Math.max(...rows.map((row) => stringWidth(row)));
  return width <= screen.columns && rows.length <= screen.rows ? rows : [];
}

export async function showQrCode({ io }: { readonly io: Io }, address: string): Promise<void> {
  const { default: qrcode } = await import('qrcode');
  const { stripVTControlCharacters } = await import('node:util');
  // Draws black on white if color is allowed, because not all cameras read a light code on a dark background.
  const code = io.color.stderr
    ? await qrcode.toString(address, { type: 'terminal', small: true })
    : // An odd margin makes this renderer throw, because it draws two rows as one.
      await qrcode.toString(address, { type: 'utf8', margin: 2 });
  const rows = code.split('\n').filter((row) => row !== '');
  const width = Math.max(...rows.map((row) => stripVTControlCharacters(row).length));
  if (!io.unicode || width > io.width()) return;
  io.talk('');
  for (const row of rows) io.talk(row);
}
