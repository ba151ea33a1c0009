const signs: Record<string, string> = {
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

/** A text for a terminal without Unicode: letters lose their accents, signs become the nearest, the rest `?`. */
export function asciiText(text: string): string {
  return text
    .replace(/[^\x00-\x7f]/gu, (sign) => signs[sign] ?? sign)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x00-\x7f]/gu, '?');
}
