import type { Context } from 'hono';
import { html } from 'hono/html';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { HttpProblem } from '../../../trading/http-problem.ts';
import { type BrowserContext, hasFullAccess } from './browser-env.ts';
import { renderInstallHeadTags } from './install-files.ts';
import { type AssetName, assetUrl } from './phone-assets.ts';

/** Query parameter that marks a page's automatic reload, which doesn't count as the person's activity. */
export const RELOAD_PARAMETER = 'again';

/** Markup created by hono's `html`. It is safe to send, because `html` escapes all inserted values. */
export type Markup = ReturnType<typeof html>;

/** Media type with which the pages' script requests only the parts of a page that change, not the whole document. */
const FRAGMENT = 'text/vnd.trade-agent.fragment+html';

export function renderPage(
  context: BrowserContext,
  options: {
    title: string;
    body: Markup;
    script?: AssetName;
    status?: ContentfulStatusCode;
    noScriptRefresh?: boolean;
  },
): Response | Promise<Response> {
  const title = `${options.title} · ${displayedHomeName(context)}`;
  const parts = html`${header(context)}
<main data-title="${title}"${options.script === undefined ? '' : html` data-script="${assetUrl(options.script)}"`}>${limitsNote(context)}${options.body}</main>
${footer(context)}`;
  const status = options.status ?? 200;
  if (context.req.header('accept') === FRAGMENT) {
    return context.html(parts, status, { 'content-type': `${FRAGMENT}; charset=utf-8` });
  }
  const refresh = options.noScriptRefresh
    ? html`<noscript><meta http-equiv="refresh" content="5; url=?${RELOAD_PARAMETER}"></noscript>`
    : '';
  return context.html(pageDocument(context, title, html`${preload(options.script)}${refresh}`, parts), status);
}

/** Renders a link that preloads a page's own script. */
function preload(script: AssetName | undefined): Markup | '' {
  return script === undefined ? '' : html`<link rel="modulepreload" href="${assetUrl(script)}">`;
}

/**
 * Renders an empty document whose script requests the same address again, with this origin's key.
 * @param script the content's own script, which the browser preloads
 */
export function renderShellPage(context: BrowserContext, script?: AssetName): Response | Promise<Response> {
  const name = displayedHomeName(context);
  const parts = html`<header><span class="name">${name}</span></header>
<main data-shell><noscript><p class="problem">Without https, this page needs JavaScript. To decide without it, run trade-agent phone in a terminal.</p></noscript></main>
<footer></footer>`;
  return context.html(pageDocument(context, name, preload(script), parts));
}

function pageDocument(
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
${installable ? renderInstallHeadTags() : ''}
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

/** Hides the home's name from people who are not signed in, because it contains the owner's name. */
function displayedHomeName({ var: { about, user } }: BrowserContext): string {
  return user === undefined ? 'trade-agent' : about.name;
}

/** Renders the heading of every page, with the token that the page's scripts send. */
function header(context: BrowserContext): Markup {
  const { user, formToken, places = [] } = context.var;
  const { path } = context.req;
  return html`<header>
<span class="name">${displayedHomeName(context)}</span>
${places.length === 0 ? '' : html`<nav class="places" aria-label="Pages">${places.map(({ href, text }) => html`<a href="${href}" ${path.startsWith(href) ? html`aria-current="page"` : ''}>${text}</a>`)}</nav>`}${user === undefined ? '' : html`<span class="small soft" data-testid="signed-in-user">${user.name}</span><input type="hidden" name="form_token" value="${formToken}">`}
</header>`;
}

/** Icons of the tabs, as SVG paths. */
const tabIcons = {
  home: 'M12 3 2.5 11H5v9h5.5v-6h3v6H19v-9h2.5z',
  approvals: 'M9.5 18.5 3 12l2-2 4.5 4.4L19 5l2 2z',
  activity:
    'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 2.4a7.6 7.6 0 1 1 0 15.2 7.6 7.6 0 0 1 0-15.2zM11 7v6l4.2 2.6 1-1.7L13 11.9V7z',
  settings: 'M3 6h9v2H3zm13 0h5v2h-5zM12.5 4.5h3v5h-3zM3 16h3v2H3zm7 0h11v2H10zM6.5 14.5h3v5h-3z',
} as const;

/** Renders the tab bar. Without a gateway, there is no tab `Home`, and the first page shows the approvals. */
function footer({ var: { user, canLook }, req: { path } }: BrowserContext): Markup {
  if (user === undefined) return html`<footer></footer>`;
  const onHome = canLook && (path === '/phone' || path.startsWith('/phone/dashboard'));
  const onApprovals = path === '/phone/approvals' || (path === '/phone' && !canLook);
  const onActivity = path === '/phone/history';
  const tab = (href: string, name: keyof typeof tabIcons, word: string, current: boolean) =>
    html`<a href="${href}" ${current ? html`aria-current="page"` : ''}><svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path fill-rule="evenodd" d="${tabIcons[name]}"/></svg>${word}</a>`;
  return html`<footer><nav class="tabs" aria-label="Pages">${canLook ? tab('/phone', 'home', 'Home', onHome) : ''}${tab(canLook ? '/phone/approvals' : '/phone', 'approvals', 'Approvals', onApprovals)}${tab('/phone/history', 'activity', 'Activity', onActivity)}${tab('/phone/settings', 'settings', 'Settings', path.startsWith('/phone/') && !onHome && !onApprovals && !onActivity)}</nav></footer>`;
}

function limitsNote(context: BrowserContext): Markup | '' {
  const { session } = context.var;
  if (session === undefined || hasFullAccess(context)) return '';
  return html`<p class="note" data-testid="limits"><strong>${
    session.by === 'recovery' ? 'Signed in with your recovery code' : 'Signed in with a link'
  }</strong>You can view and deny requests, halt trading, and sign out browsers. To approve requests or sign in a device, sign in with your passkey. To pair a phone, use the machine that runs the home.</p>`;
}

export function renderMessagePage(
  context: BrowserContext,
  status: ContentfulStatusCode,
  message: { title: string; text: string; link?: { href: string; text: string } },
): Response | Promise<Response> {
  // The page's own script displays the message in the current page.
  if (context.req.header('accept') === 'application/json') {
    return context.json({ title: message.title, text: message.text }, status);
  }
  return renderPage(context, {
    title: message.title,
    status,
    body: html`<div class="card"><h1 tabindex="-1" data-testid="message">${message.title}</h1><p>${message.text}</p>${
      message.link === undefined ? '' : html`<p><a href="${message.link.href}">${message.link.text}</a></p>`
    }</div>`,
  });
}

export function renderPasskeyRequiredPage(context: BrowserContext): Response | Promise<Response> {
  return renderMessagePage(context, 403, {
    title: 'Passkey required',
    text: 'You are signed in with a link or a recovery code, which can only view and deny. Nothing was changed.',
    link: { href: '/signin', text: 'Sign in with your passkey' },
  });
}

export function redirectToSignIn(context: Context, next: string): Response {
  return context.redirect(`/signin?${new URLSearchParams({ next })}`, 303);
}

/** Returns the HTTP status and the text to display for an error of {@link ApprovalKeys}. Rethrows all other errors. */
export function describeKeyError(error: unknown): { status: ContentfulStatusCode; text: string } {
  if (!(error instanceof HttpProblem)) throw error;
  const { hint } = error.toProblem();
  const sentence = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
  return {
    status: error.status as ContentfulStatusCode,
    text: hint === undefined ? sentence : `${sentence} ${hint}`,
  };
}

export function renderKeyErrorPage(context: BrowserContext, error: unknown, link: { href: string; text: string }) {
  const { status, text } = describeKeyError(error);
  return renderMessagePage(context, status, { title: 'Not allowed', text, link });
}

export function createKeyErrorResponse(context: BrowserContext, error: unknown): Response {
  const { status, text } = describeKeyError(error);
  return context.json({ text }, status);
}
