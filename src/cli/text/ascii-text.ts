const asciiSigns: Record<string, string> = {
  '·': '|',
  '…': '...',
  '’': "'",
  '‘': "'",
  '“': '"',
  '”': '"',
  '–': '-',
  '—': '-',
  '−': '-',
  '•': '*',
  '→': '->',
  '×': 'x',
  '€': 'EUR',
};

/** Removes accents, and replaces symbols with similar ASCII characters or, if there are none, with `?`. */
export function toAscii(text: string): string {
  return text
    .replace(/[^\x00-\x7f]/gu, (sign) => asciiSigns[sign] ?? sign)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x00-\x7f]/gu, '?');
}
