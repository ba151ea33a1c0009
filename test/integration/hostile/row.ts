/** What is attacked. */
export const areas = [
  'gateway: access tokens',
  'gateway: DPoP proofs',
  'gateway: scopes',
  'gateway: requests',
  'gateway: an approved order, changed',
  'gateway: approvals',
  'gateway: other people',
  'proposals: amounts, symbols, words',
  'proposals: keys and states',
  'messages',
  'provenance: whose order it is',
  'provider',
  'company sign-in',
  'phone',
  'chat page',
  'certificate challenges',
  'MCP',
  'receipts',
] as const;
export type Area = (typeof areas)[number];

/** One attack, and the refusal that it must meet. */
export interface Row {
  readonly area: Area;
  readonly what: string;
  /** The route or the field; an empty text where `what` says it. */
  readonly at: string;
  /** Status and code, as {@link saidBy} writes them. */
  readonly expected: string;
  /** What came of it, written alike. */
  readonly attack: () => Promise<string>;
}

export const rowOf =
  (area: Area) =>
  (what: string, at: string, expected: string, attack: Row['attack']): Row => ({
    ...{ area, what, at, expected, attack },
  });

/** Makes rows of one area whose attack is one request. */
export const attackOn = (area: Area) => (what: string, at: string, expected: string, attack: () => Promise<Response>) =>
  rowOf(area)(what, at, expected, async () => saidBy(await attack()));

export interface Result extends Omit<Row, 'attack'> {
  readonly actual: string;
}

/** `401 token_expired`: the status, and the code of a problem (RFC 9457) or an OAuth error, where there is one. */
export async function saidBy(response: Response): Promise<string> {
  return said(response.status, await response.text());
}

export function said(status: number | undefined, text: string): string {
  if (status === undefined) return 'closed';
  let body: unknown;
  try {
    body = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text);
  } catch {
    return String(status);
  }
  const { code, error } = { ...(body as { code?: unknown; error?: unknown }) };
  const name = typeof code === 'string' ? code : error;
  if (typeof name === 'object' && name !== null && 'code' in name) return `${status} ${String(name.code)}`;
  return typeof name === 'string' ? `${status} ${name}` : String(status);
}

/** All of them, in their order: what one leaves behind may be what the next one is about. */
export async function run(rows: readonly Row[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const { attack, ...row } of rows) {
    const actual = await attack().catch((error: unknown) => `failed: ${String(error)}`);
    results.push({ ...row, actual });
  }
  return results;
}
