import type { Context } from 'hono';

/** A parameter sent twice is left out, as RFC 6749, 3.1 forbids it: what needs it then fails. */
export async function formOf(context: Context): Promise<Record<string, string>> {
  const type = context.req.header('content-type') ?? '';
  if (!type.startsWith('application/x-www-form-urlencoded')) return {};
  const form = new URLSearchParams(await context.req.text());
  return Object.fromEntries([...form].filter(([name]) => form.getAll(name).length === 1));
}

/** application/x-www-form-urlencoded, the encoding RFC 6749 asks for inside the Basic header. */
export function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return '';
  }
}
