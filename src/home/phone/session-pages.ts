import { Hono } from 'hono';
import { html } from 'hono/html';
import type { Session } from '../../store/home/sessions.ts';
import { renderLocalTime } from './decision/local-time.ts';
import type { BrowserEnv } from './page/browser-env.ts';
import { redirectToSignIn, renderPage } from './page/page.ts';
import type { PhoneServices } from './phone-services.ts';

const PATH = '/phone/sessions';

const signInMethods: Record<Session['by'], string> = {
  passkey: 'with a passkey',
  link: 'with a link',
  recovery: 'with the recovery code',
};

export function createSessionPages({ sessions }: PhoneServices): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();

  app.get(PATH, async (context) => {
    const { user, session, formToken } = context.var;
    if (user === undefined) return redirectToSignIn(context, PATH);
    const open = await sessions.list(user.username);
    return renderPage(context, {
      title: 'Sessions',
      body: html`<h1 tabindex="-1">Sessions</h1>
<p class="soft">The browsers where you are signed in. Each session ends after eight hours, or after half an hour without activity.</p>
<ul class="recent">${open.map(
        (one) =>
          html`<li data-testid="session"><span>${one.browser}${
            one.id === session?.id ? html` <strong data-testid="this-browser">this browser</strong>` : ''
          }<br><span class="soft small">${signInMethods[one.by]}, ${renderLocalTime(one.openedAt)}; last used ${renderLocalTime(one.seenAt)}</span></span>${
            one.id === session?.id
              ? ''
              : html`
<form method="post" action="${PATH}/end"><input type="hidden" name="form_token" value="${formToken}"><input type="hidden" name="id" value="${one.id}"><button class="quiet" data-testid="end-session">Sign out</button></form>`
          }</li>`,
      )}</ul>
<form method="post" action="${PATH}/end-others"><input type="hidden" name="form_token" value="${formToken}"><button class="stop wide" data-testid="end-others">Sign out everywhere else</button></form>`,
    });
  });

  app.post(`${PATH}/end`, async (context) => {
    const { user } = context.var;
    if (user === undefined) return redirectToSignIn(context, PATH);
    const { id } = await context.req.parseBody();
    if (typeof id === 'string') await sessions.end(user.username, id);
    return context.redirect(PATH, 303);
  });

  app.post(`${PATH}/end-others`, async (context) => {
    const { user, session } = context.var;
    if (user === undefined) return redirectToSignIn(context, PATH);
    for (const { id } of await sessions.list(user.username)) {
      if (id !== session?.id) await sessions.end(user.username, id);
    }
    return context.redirect(PATH, 303);
  });

  return app;
}
