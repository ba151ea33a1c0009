import type { Context } from 'hono';
import { html } from 'hono/html';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { Refusal } from '../../../trading/refusal.ts';
import { type BrowserContext, isFull } from './browser-env.ts';
import { installHead } from './install-files.ts';
import { type AssetName, assetUrl } from './phone-assets.ts';

/** In the address of a page that looks again by itself: nobody has done anything. */
export const AGAIN = 'again';

/** Markup that is safe to send: made by hono's `html`, which escapes what is put into it. */
export type Markup = ReturnType<typeof html>;

/** What the pages' script asks for: the parts that differ, without the document around them. */
const FRAGMENT = 'text/vnd.trade-agent.fragment+html';

export function page(
  context: BrowserContext,
  options: {
    title: string;
    body: Markup;
    script?: AssetName;
    status?: ContentfulStatusCode;
    noScriptRefresh?: boolean;
  },
): Response | Promise<Response> {
  const title = `${options.title} · ${context.var.about.name}`;
  const parts = html`${header(context)}
<main data-title="${title}"${options.script === undefined ? '' : html` data-script="${assetUrl(options.script)}"`}>${limits(context)}${options.body}</main>
${footer(context)}`;
  const status = options.status ?? 200;
  if (context.req.header('accept') === FRAGMENT) {
    return context.html(parts, status, { 'content-type': `${FRAGMENT}; charset=utf-8` });
  }
  const head = options.noScriptRefresh
    ? html`<noscript><meta http-equiv="refresh" content="5; url=?${AGAIN}"></noscript>`
    : '';
  return context.html(whole(context, title, head, parts), status);
}

/** A document with nothing in it: its script asks for the same address again, with this origin's key. */
export function shellPage(context: BrowserContext): Response | Promise<Response> {
  const { name } = context.var.about;
  const parts = html`<header><span class="name">${name}</span></header>
<main data-shell><noscript><p class="problem">At an address without https this page needs JavaScript. To decide without: trade-agent phone, in a terminal.</p></noscript></main>
<footer></footer>`;
  return context.html(whole(context, name, '', parts));
}

function whole(
  { var: { about, installable } }: BrowserContext,
  title: string,
  head: Markup | '',
  parts: Markup,
): Markup {
  return html`<!doctype html>
<html lang="en" data-passkeys="${assetUrl('passkeys.js')}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<title>${title}</title>
${installable ? installHead() : ''}
<link rel="stylesheet" href="${assetUrl('phone.css')}">
<script type="module" src="${assetUrl('shell.js')}"></script>
${head}
</head>
<body>
${about.simulated ? html`<aside class="sandbox" aria-label="What this is" data-testid="sandbox-badge">SANDBOX · simulated</aside>` : ''}
${parts}
</body>
</html>`;
}

function header({ var: { about, user, formToken } }: BrowserContext): Markup {
  return html`<header>
<span class="name">${about.name}</span>
${
  user === undefined
    ? ''
    : html`<form method="post" action="/signout"><input type="hidden" name="form_token" value="${formToken}"><span class="small soft" data-testid="signed-in-user">${user.name}</span><button class="quiet">Sign out</button></form>`
}
</header>`;
}

function footer({ var: { user, canHalt, canLook } }: BrowserContext): Markup {
  if (user === undefined) return html`<footer></footer>`;
  return html`<footer><nav aria-label="Pages"><a href="/phone">Requests</a> ${canLook ? html`<a href="/phone/dashboard">Dashboard</a> ` : ''}<a href="/phone/authenticators">Passkeys</a> <a href="/phone/sessions">Signed in on</a> <a href="/phone/programs">Programs</a>${canHalt ? html` <a href="/phone/mandates">Mandates</a> <a href="/phone/halt">Halt trading</a>` : ''}</nav></footer>`;
}

function limits(context: BrowserContext): Markup | '' {
  const { session } = context.var;
  if (session === undefined || isFull(context)) return '';
  return html`<p class="note" data-testid="limits"><strong>${
    session.by === 'recovery' ? 'Signed in with your recovery code' : 'Signed in by a link'
  }</strong>You can read, deny, halt trading, and sign browsers out. To approve, or to let a device in, sign in with your passkey; a phone is paired at the home’s own machine.</p>`;
}

export function messagePage(
  context: BrowserContext,
  status: ContentfulStatusCode,
  message: { title: string; text: string; link?: { href: string; text: string } },
): Response | Promise<Response> {
  // A page's own script shows it where it is.
  if (context.req.header('accept') === 'application/json') {
    return context.json({ title: message.title, text: message.text }, status);
  }
  return page(context, {
    title: message.title,
    status,
    body: html`<div class="card"><h1 tabindex="-1" data-testid="message">${message.title}</h1><p>${message.text}</p>${
      message.link === undefined ? '' : html`<p><a href="${message.link.href}">${message.link.text}</a></p>`
    }</div>`,
  });
}

export function passkeyNeeded(context: BrowserContext): Response | Promise<Response> {
  return messagePage(context, 403, {
    title: 'This takes your passkey',
    text: 'You are signed in by a link or a recovery code, which can read and deny. Nothing was changed.',
    link: { href: '/signin', text: 'Sign in with your passkey' },
  });
}

export function toSignIn(context: Context, next: string): Response {
  return context.redirect(`/signin?${new URLSearchParams({ next })}`, 303);
}

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

export function refusedPage(context: BrowserContext, error: unknown, link: { href: string; text: string }) {
  const { status, text } = refusalText(error);
  return messagePage(context, status, { title: 'That was refused', text, link });
}

export function refusedJson(context: BrowserContext, error: unknown): Response {
  const { status, text } = refusalText(error);
  return context.json({ text }, status);
}
