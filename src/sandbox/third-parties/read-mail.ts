/** A mail as its reader sees it. */
export interface ReadMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/**
 * Reads a plain-text mail (RFC 5322, 2045, 2047), as much as a stand-in needs: undefined for what is none, has a header
 * twice, or is of any other kind.
 */
export function readMail(raw: string): ReadMail | undefined {
  const end = raw.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const headers = new Map<string, string>();
  for (const line of raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')) {
    const [, name, value] = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined || headers.has(name.toLowerCase())) return undefined;
    headers.set(name.toLowerCase(), value);
  }
  const type = headers.get('content-type') ?? 'text/plain; charset=us-ascii';
  if (!/^text\/plain\b/i.test(type)) return undefined;
  const body = raw.slice(end + 4);
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase() ?? '7bit';
  const text = encoding === 'base64' ? Buffer.from(body, 'base64').toString() : body;
  return {
    to: headers.get('to') ?? '',
    subject: decodedWords(headers.get('subject') ?? ''),
    text: text.replaceAll('\r\n', '\n'),
  };
}

/** Base64 encoded words; the space between two of them belongs to neither. */
function decodedWords(text: string): string {
  return text
    .replace(/(\?=)[ \t]+(=\?)/g, '$1$2')
    .replace(/=\?utf-8\?B\?([A-Za-z0-9+/=]*)\?=/gi, (_, encoded: string) =>
      Buffer.from(encoded, 'base64').toString(),
    );
}
