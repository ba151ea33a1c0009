import { Hono } from 'hono';
import { html } from 'hono/html';
import type { GrantTerms } from '../../approval/signature/grant.ts';
import { renderLocalTime } from './decision/local-time.ts';
import { addCodeRoutes, renderGrantField, renderLifetimeField, signingAttribute } from './grant-form.ts';
import { type BrowserContext, type BrowserEnv, hasFullAccess } from './page/browser-env.ts';
import { redirectToSignIn, renderPage } from './page/page.ts';
import type { PhoneServices } from './phone-services.ts';

const PATH = '/phone/programs';

/** Creates the page where the person sees and removes the clients that act for them or send them requests. */
export function createClientPages({ authorized, clients, grants, signed }: PhoneServices): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();

  app.get(PATH, async (context) => {
    const { user, formToken } = context.var;
    if (user === undefined) return redirectToSignIn(context, PATH);
    const token = html`<input type="hidden" name="form_token" value="${formToken}">`;
    const registered = await clients.list(user.username);
    const notes = await Promise.all(registered.map(({ clientId }) => clients.note(clientId)));
    return renderPage(context, {
      title: 'Apps',
      body: html`<h1 tabindex="-1">Apps</h1>
<h2>Signed in as you</h2>
<ul class="recent">${(await grants.devices(user.username)).map(
        ({ id, clientName, deviceName, since, usedAt, endsAt }) => html`<li data-testid="device"><span>${clientName}${
          deviceName === undefined ? '' : html` on <strong>${deviceName}</strong>`
        }<br><span class="soft small">since ${renderLocalTime(since)}${usedAndEnds(usedAt, endsAt)}</span></span>
<form method="post" action="${PATH}/sign-out">${token}<input type="hidden" name="id" value="${id}"><button class="quiet" data-testid="sign-out-device">Sign out</button></form></li>`,
      )}</ul>
<h2>Other agents</h2>
<ul class="recent">${(await authorized.list(user.username)).map(
        ({
          clientId,
          name,
          host,
          since,
          usedAt,
          endsAt,
        }) => html`<li data-testid="agent"><span>${name}, <strong>${host}</strong><br><span class="soft small">unverified; since ${renderLocalTime(since)}${usedAndEnds(usedAt, endsAt)}</span></span>
<form method="post" action="${PATH}/end">${token}<input type="hidden" name="id" value="${clientId}"><button class="quiet" data-testid="end-agent">Revoke access</button></form></li>`,
      )}</ul>
<h2>Allowed to send you requests</h2>
<ul class="recent">${registered.map(
        (
          { clientId, name, usedAt, endsAt },
          i,
        ) => html`<li data-testid="program"><span>${name}<br><span class="soft small">${notes[i]?.text}${usedAndEnds(usedAt, endsAt)}</span></span>
<form method="post" action="${PATH}/remove">${token}<input type="hidden" name="id" value="${clientId}"><button class="quiet" data-testid="remove-program">Remove</button></form></li>`,
      )}</ul>
${
  hasFullAccess(context)
    ? html`<form method="post" action="${PATH}/token" ${signingAttribute(signed, `${PATH}/token/options`)}>${token}${renderGrantField(signed)}${renderLifetimeField()}<button class="quiet wide" data-testid="let-in">Allow another app</button></form>`
    : ''
}`,
    });
  });

  const issue = async (context: BrowserContext, { sub, ends_at }: GrantTerms) => {
    const { token, expiresAt } = await clients.issueToken(sub, Date.parse(ends_at ?? ''));
    return renderPage(context, {
      title: 'Token for one app',
      body: html`<div class="card">
<h1 tabindex="-1">Token for one app</h1>
<p>Give it to the app that you want to allow. It can register once with this token, until ${renderLocalTime(expiresAt)}, and can then send requests only to you, until ${renderLocalTime(Date.parse(ends_at ?? ''))}.</p>
<p class="mono" data-testid="registration-token">${token}</p>
<div class="note"><strong>Only for an app that you chose yourself.</strong>Anyone with this token can send requests to your phone.</div>
<p><a href="${PATH}">Back</a></p>
</div>`,
    });
  };
  addCodeRoutes(app, signed, { path: `${PATH}/token`, page: PATH, kind: 'registration', issue });

  const ending = (path: string, end: (user: string, id: string) => Promise<unknown>) =>
    app.post(`${PATH}/${path}`, async (context) => {
      const { user } = context.var;
      if (user === undefined) return redirectToSignIn(context, PATH);
      const { id } = await context.req.parseBody();
      if (typeof id === 'string') await end(user.username, id);
      return context.redirect(PATH, 303);
    });
  ending('remove', (user, id) => grants.endClient(user, id));
  ending('end', (user, id) => authorized.end(user, id));
  ending('sign-out', (user, id) => grants.endDevice(user, id));

  return app;
}

function usedAndEnds(usedAt: number | undefined, endsAt: number | undefined) {
  return html`, ${usedAt === undefined ? 'never used' : html`last used ${renderLocalTime(usedAt)}`}${
    endsAt === undefined ? '' : html`; ends ${renderLocalTime(endsAt)}`
  }`;
}
