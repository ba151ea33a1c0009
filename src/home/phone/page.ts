import type { Context } from 'hono';
import { html } from 'hono/html';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { BrowserContext } from './browser-env.ts';
import { type AssetName, assetUrl } from './phone-assets.ts';

/** Markup that is safe to send: made by hono's `html`, which escapes what is put into it. */
export type Markup = ReturnType<typeof html>;

/** A whole page. */
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
  const { user, formToken } = context.var;
  return context.html(
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${options.title} · Sandbox</title>
<link rel="stylesheet" href="${assetUrl('phone.css')}">
${options.script === undefined ? '' : html`<script src="${assetUrl(options.script)}" defer></script>`}
${options.noScriptRefresh ? html`<noscript><meta http-equiv="refresh" content="5"></noscript>` : ''}
</head>
<body>
<p class="sandbox" data-testid="sandbox-badge">SANDBOX · simulated</p>
<header>
<span class="name">Phone</span>
${
  user === undefined
    ? ''
    : html`<form method="post" action="/signout"><input type="hidden" name="form_token" value="${formToken}"><span class="small soft" data-testid="signed-in-user">${user.name}</span><button class="quiet">Sign out</button></form>`
}
</header>
<main>${options.body}</main>
</body>
</html>`,
    options.status ?? 200,
  );
}

/** A page that says one thing. */
export function messagePage(
  context: BrowserContext,
  status: ContentfulStatusCode,
  message: { title: string; text: string; link?: { href: string; text: string } },
): Response | Promise<Response> {
  return page(context, {
    title: message.title,
    status,
    body: html`<div class="card"><h1 data-testid="message">${message.title}</h1><p>${message.text}</p>${
      message.link === undefined ? '' : html`<p><a href="${message.link.href}">${message.link.text}</a></p>`
    }</div>`,
  });
}

/** Where a page that needs a sign-in sends the browser first. */
export function toSignIn(context: Context, next: string): Response {
  return context.redirect(`/signin?${new URLSearchParams({ next })}`, 303);
}
