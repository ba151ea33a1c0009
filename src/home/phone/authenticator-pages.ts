import { Hono } from 'hono';
import { html } from 'hono/html';
import type { SigningKey } from '../../store/signing-key-store.ts';
import type { SignedGrants } from '../identity-provider/signed-grants.ts';
import { parseAssertionField, parseRegistrationField } from './credential-json.ts';
import { renderLocalTime } from './decision/local-time.ts';
import { addCodeRoutes, renderGrantField, signingAttribute } from './grant-form.ts';
import { notifyAccountSecurityEvent } from './page/browser.ts';
import { type BrowserContext, type BrowserEnv, hasFullAccess } from './page/browser-env.ts';
import {
  createKeyErrorResponse,
  type Markup,
  redirectToSignIn,
  renderKeyErrorPage,
  renderMessagePage,
  renderPage,
  renderPasskeyRequiredPage,
} from './page/page.ts';
import { passkeyName } from './pairing-pages.ts';
import type { PhoneServices } from './phone-services.ts';

const PATH = '/phone/authenticators';
const back = { href: PATH, text: 'Back to your passkeys' };

/**
 * Creates the pages where the person lists, adds, renames and removes passkeys. Adding or removing a passkey must be
 * signed with another passkey.
 */
export function createPasskeyPages(services: PhoneServices): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();
  const { keys, recovery, sessions, signed } = services;

  app.get(PATH, async (context) => {
    const { user } = context.var;
    if (user === undefined) return redirectToSignIn(context, PATH);
    const code = await recovery.find(user.username);
    return listPage(context, await keys.list(user.username), { recoveryIssued: code?.issuedAt, signed });
  });

  // The following routes change who can approve, so a recovery code does not give access to them.
  app.use(`${PATH}/*`, async (context, next) => {
    if (context.var.user === undefined) return redirectToSignIn(context, PATH);
    return hasFullAccess(context) ? next() : renderPasskeyRequiredPage(context);
  });
  const changes = (path: string, change: (context: BrowserContext, sub: string) => Promise<Response>) => {
    app.post(`${PATH}/${path}`, async (context) => {
      const wantsJson = context.req.header('accept') === 'application/json';
      try {
        return await change(context, context.var.user?.username ?? '');
      } catch (error) {
        return wantsJson ? createKeyErrorResponse(context, error) : renderKeyErrorPage(context, error, back);
      }
    });
  };

  changes('create-options', async (context, sub) => context.json(await keys.creationOptions({ sub })));

  changes('add-options', async (context, sub) => {
    const { registration: given } = await context.req.parseBody();
    const registration = parseRegistrationField(given);
    if (registration === undefined) return context.json({ text: 'No passkey was created.' }, 400);
    return context.json(await keys.keyActionOptions(sub, 'add', registration));
  });

  changes('add', async (context, sub) => {
    const body = await context.req.parseBody();
    const [registration, assertion] = [parseRegistrationField(body.registration), parseAssertionField(body.assertion)];
    if (registration === undefined || assertion === undefined) return incomplete(context);
    const { name } = await keys.enroll({ sub, assertion }, registration, passkeyName(context, body.name));
    notifyAccountSecurityEvent(context, services, { user: sub, what: 'passkey_added', name });
    return context.redirect(PATH, 303);
  });

  changes('rename', async (context, sub) => {
    const { id, name } = await context.req.parseBody();
    await keys.rename(sub, formText(id), passkeyName(context, name));
    return context.redirect(PATH, 303);
  });

  changes('remove-options', async (context, sub) => {
    const { id } = await context.req.parseBody();
    return context.json(await keys.keyActionOptions(sub, 'remove', formText(id)));
  });

  changes('remove', async (context, sub) => {
    const { id, assertion: given } = await context.req.parseBody();
    const assertion = parseAssertionField(given);
    if (assertion === undefined) return incomplete(context);
    const removed = (await keys.list(sub)).find(({ credentialId }) => credentialId === formText(id));
    await keys.remove({ sub, assertion }, formText(id));
    await sessions.endOf(sub, formText(id));
    notifyAccountSecurityEvent(context, services, { user: sub, what: 'passkey_removed', name: removed?.name ?? '' });
    return context.redirect(PATH, 303);
  });

  addCodeRoutes(app, signed, {
    path: `${PATH}/recovery`,
    page: PATH,
    kind: 'recovery_code',
    issue: async (context, { sub }) => recoveryPage(context, await recovery.issue(sub)),
  });

  return app;
}

const formText = (field: unknown) => (typeof field === 'string' ? field : '');

function incomplete(context: BrowserContext) {
  return renderMessagePage(context, 400, {
    title: 'Nothing was changed',
    text: 'Your passkey did not respond.',
    link: back,
  });
}

function listPage(
  context: BrowserContext,
  keys: readonly SigningKey[],
  { recoveryIssued, signed }: { readonly recoveryIssued: number | undefined; readonly signed: SignedGrants },
) {
  const full = hasFullAccess(context);
  const { formToken } = context.var;
  const passkeys = keys.filter(({ method }) => method === 'webauthn').length;
  const token = html`<input type="hidden" name="form_token" value="${formToken}">`;
  return renderPage(context, {
    title: 'Passkeys',
    body: html`<h1 tabindex="-1">Passkeys</h1>
<p class="soft">Each of these can approve for you. Keep two on separate devices: if you lose one, you can remove it with the other.</p>
${keys.map((key) => keyCard(key, token, { full, removable: passkeys > (key.method === 'webauthn' ? 1 : 0) }))}
${
  full
    ? html`<form class="card" method="post" action="${PATH}/add" data-passkey="create ${PATH}/create-options get ${PATH}/add-options" data-testid="add-form">
${token}
<h2>Add another</h2>
<p class="soft">Create it, then confirm with a passkey you already have.</p>
<label for="new-name">Name</label>
<input type="text" id="new-name" name="name" maxlength="40" autocomplete="off" data-testid="new-name">
<button class="go wide" data-testid="add">Add a passkey</button>
</form>`
    : ''
}
<div class="card" data-testid="recovery">
<h2>Recovery code</h2>
<p>${recoveryIssued === undefined ? 'You have none.' : html`Created ${renderLocalTime(recoveryIssued)}.`} A recovery code lets you view and deny requests, halt trading, and sign out browsers. It can’t approve anything, or add or remove a passkey.</p>
${
  full
    ? html`<form method="post" action="${PATH}/recovery" ${signingAttribute(signed, `${PATH}/recovery/options`)}>${token}${renderGrantField(signed)}<button class="quiet" data-testid="new-recovery">Create a new one</button></form>`
    : ''
}
</div>`,
  });
}

function keyCard(key: SigningKey, token: Markup, { full, removable }: { full: boolean; removable: boolean }) {
  const hidden = html`${token}<input type="hidden" name="id" value="${key.credentialId}">`;
  return html`<article class="card" data-testid="authenticator" data-method="${key.method}">
<h2 data-testid="authenticator-name">${key.name}</h2>
<p><span data-testid="authenticator-kind">${passkeyKind(key)}</span><br><span class="soft small">Added ${renderLocalTime(key.enrolledAt)}${
    key.lastUsedAt === undefined ? ', not used yet' : html`, last used ${renderLocalTime(key.lastUsedAt)}`
  }</span></p>
${
  full
    ? html`<details><summary>Change</summary>
<form method="post" action="${PATH}/rename">${hidden}
<label for="name-${key.credentialId}">Name</label>
<input type="text" id="name-${key.credentialId}" name="name" value="${key.name}" maxlength="40" autocomplete="off" required data-testid="rename">
<button class="quiet wide" data-testid="save-name">Save the name</button></form>
${
  removable
    ? html`<form method="post" action="${PATH}/remove" data-passkey="get ${PATH}/remove-options">${hidden}
<button class="stop wide" data-testid="remove">Remove, with another passkey</button></form>`
    : html`<p class="small soft" data-testid="last-key">Your last passkey can only be removed on the machine that runs the home.</p>`
}
</details>`
    : ''
}
</article>`;
}

function passkeyKind({ method, deviceType, backedUp }: SigningKey): string {
  if (method === 'software') return 'Software key of the terminal phone, without user verification';
  if (deviceType === 'singleDevice') return 'Stays on one device';
  return backedUp ? 'Synced through your platform account' : 'Can be synced, but is not yet';
}

function recoveryPage(context: BrowserContext, code: string) {
  return renderPage(context, {
    title: 'Recovery code',
    body: html`<div class="card">
<h1 tabindex="-1">Your recovery code</h1>
<p class="mono" data-testid="code"><strong>${code}</strong></p>
<p>Write it down now. It won’t be shown again, and your previous code no longer works. If you lose every passkey, it lets you view and deny requests, halt trading, and sign out browsers.</p>
<p><a class="go wide" href="${PATH}">I have written it down</a></p>
</div>`,
  });
}
