import stringWidth from 'string-width';

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
