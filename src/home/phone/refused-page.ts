import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { Refusal } from '../../trading/refusal.ts';
import type { BrowserContext } from './browser-env.ts';
import { messagePage } from './page.ts';

/** What a person is told where {@link Keys} refused. @throws whatever else went wrong */
export function refusalText(error: unknown): { status: ContentfulStatusCode; text: string } {
  if (!(error instanceof Refusal)) throw error;
  const { hint } = error.toProblem();
  const sentence = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
  return {
    status: error.status as ContentfulStatusCode,
    text: hint === undefined ? sentence : `${sentence} ${hint}`,
  };
}

/** The same as a page. */
export function refusedPage(context: BrowserContext, error: unknown, link: { href: string; text: string }) {
  const { status, text } = refusalText(error);
  return messagePage(context, status, { title: 'That was refused', text, link });
}

/** The same for the script that asks for a passkey's options. */
export function refusedJson(context: BrowserContext, error: unknown): Response {
  const { status, text } = refusalText(error);
  return context.json({ text }, status);
}
