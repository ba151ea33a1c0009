import { Hono } from 'hono';
import { html } from 'hono/html';
import type { SigningKey } from '../../store/signing-key-store.ts';
import { readAssertion, readRegistration } from './credential-json.ts';
import { localTime } from './decision/local-time.ts';
import { tellOf } from './page/browser.ts';
import { type BrowserContext, type BrowserEnv, isFull } from './page/browser-env.ts';
import {
  type Markup,
  messagePage,
  page,
  passkeyNeeded,
  refusedJson,
  refusedPage,
  toSignIn,
} from './page/page.ts';
import { nameOf } from './pairing-pages.ts';
import type { PhoneServices } from './phone-services.ts';

const PATH = '/phone/authenticators';
const back = { href: PATH, text: 'Back to your passkeys' };

/** The person's passkeys: what they are, one more, another name, one less. Adding and removing is signed by another one. */
export function createAuthenticatorPages(services: PhoneServices): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();
  const { keys, recovery, sessions } = services;

  app.get(PATH, async (context) => {
    const { user } = context.var;
    if (user === undefined) return toSignIn(context, PATH);
    return listPage(context, await keys.list(user.username), recovery.find(user.username)?.issuedAt);
  });

  // What follows changes what may approve, so it takes more than a code on paper.
  app.use(`${PATH}/*`, async (context, next) => {
    if (context.var.user === undefined) return toSignIn(context, PATH);
    return isFull(context) ? next() : passkeyNeeded(context);
  });
  const changes = (path: string, change: (context: BrowserContext, sub: string) => Promise<Response>) => {
    app.post(`${PATH}/${path}`, async (context) => {
      const wantsJson = context.req.header('accept') === 'application/json';
      try {
        return await change(context, context.var.user?.username ?? '');
      } catch (error) {
        return wantsJson ? refusedJson(context, error) : refusedPage(context, error, back);
      }
    });
  };

  changes('create-options', async (context, sub) => context.json(await keys.creationOptions({ sub })));

  changes('add-options', async (context, sub) => {
    const { registration: given } = await context.req.parseBody();
    const registration = readRegistration(given);
    if (registration === undefined) return context.json({ text: 'No passkey was made.' }, 400);
    return context.json(await keys.approvalOfKey(sub, 'add', registration));
  });

  changes('add', async (context, sub) => {
    const body = await context.req.parseBody();
    const [registration, assertion] = [readRegistration(body.registration), readAssertion(body.assertion)];
    if (registration === undefined || assertion === undefined) return incomplete(context);
    const { name } = await keys.enrol({ sub, assertion }, registration, nameOf(context, body.name));
    tellOf(context, services, { user: sub, what: 'passkey_added', name });
    return context.redirect(PATH, 303);
  });

  changes('rename', async (context, sub) => {
    const { id, name } = await context.req.parseBody();
    await keys.rename(sub, text(id), nameOf(context, name));
    return context.redirect(PATH, 303);
  });

  changes('remove-options', async (context, sub) => {
    const { id } = await context.req.parseBody();
    return context.json(await keys.approvalOfKey(sub, 'remove', text(id)));
  });

  changes('remove', async (context, sub) => {
    const { id, assertion: given } = await context.req.parseBody();
    const assertion = readAssertion(given);
    if (assertion === undefined) return incomplete(context);
    const removed = (await keys.list(sub)).find(({ credentialId }) => credentialId === text(id));
    await keys.remove({ sub, assertion }, text(id));
    sessions.endOf(sub, text(id));
    tellOf(context, services, { user: sub, what: 'passkey_removed', name: removed?.name ?? '' });
    return context.redirect(PATH, 303);
  });

  changes('recovery', async (context, sub) => recoveryPage(context, recovery.issue(sub)));

  return app;
}

const text = (field: unknown) => (typeof field === 'string' ? field : '');

function incomplete(context: BrowserContext) {
  return messagePage(context, 400, {
    title: 'Nothing was changed',
    text: 'Your passkey has not answered.',
    link: back,
  });
}

function listPage(context: BrowserContext, keys: readonly SigningKey[], recoveryIssued: number | undefined) {
  const full = isFull(context);
  const { formToken } = context.var;
  const passkeys = keys.filter(({ method }) => method === 'webauthn').length;
  const token = html`<input type="hidden" name="form_token" value="${formToken}">`;
  return page(context, {
    title: 'Passkeys',
    body: html`<h1 tabindex="-1">Passkeys</h1>
<p class="soft">Each of these approves in your name. Keep two, on two devices: with one lost, the other one lets you remove it.</p>
${keys.map((key) => keyCard(key, token, { full, removable: passkeys > (key.method === 'webauthn' ? 1 : 0) }))}
${
  full
    ? html`<form class="card" method="post" action="${PATH}/add" data-passkey="create ${PATH}/create-options get ${PATH}/add-options" data-testid="add-form">
${token}
<h2>Add another</h2>
<p class="soft">It is made first; then one that you have already says yes to it.</p>
<label for="new-name">Call it</label>
<input type="text" id="new-name" name="name" maxlength="40" autocomplete="off" data-testid="new-name">
<button class="go wide" data-testid="add">Add a passkey</button>
</form>`
    : ''
}
<div class="card" data-testid="recovery">
<h2>Recovery code</h2>
<p>${recoveryIssued === undefined ? 'You have none.' : html`Made ${localTime(recoveryIssued)}.`} It reads, denies, halts trading, and signs browsers out; it can’t approve, and can’t add or remove a passkey.</p>
${
  full
    ? html`<form method="post" action="${PATH}/recovery">${token}<button class="quiet" data-testid="new-recovery">Make a new one</button></form>`
    : ''
}
</div>`,
  });
}

function keyCard(key: SigningKey, token: Markup, { full, removable }: { full: boolean; removable: boolean }) {
  const hidden = html`${token}<input type="hidden" name="id" value="${key.credentialId}">`;
  return html`<article class="card" data-testid="authenticator" data-method="${key.method}">
<h2 data-testid="authenticator-name">${key.name}</h2>
<p><span data-testid="authenticator-kind">${kindOf(key)}</span><br><span class="soft small">Added ${localTime(key.enrolledAt)}${
    key.lastUsedAt === undefined ? ', not used yet' : html`, last used ${localTime(key.lastUsedAt)}`
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
    : html`<p class="small soft" data-testid="last-key">Your last passkey can only be removed at the home’s own machine.</p>`
}
</details>`
    : ''
}
</article>`;
}

function kindOf({ method, deviceType, backedUp }: SigningKey): string {
  if (method === 'software') return 'Software key of the terminal phone: no device asks who you are';
  if (deviceType === 'singleDevice') return 'Stays on one device';
  return backedUp ? 'Synced by your platform’s account' : 'Can be synced, and is not yet';
}

function recoveryPage(context: BrowserContext, code: string) {
  return page(context, {
    title: 'Recovery code',
    body: html`<div class="card">
<h1 tabindex="-1">Your recovery code</h1>
<p class="mono" data-testid="code"><strong>${code}</strong></p>
<p>Write it down now: it is not shown again, and the one before has ended. Where every passkey is lost, it lets you read, deny, halt trading, and sign browsers out.</p>
<p><a class="go wide" href="${PATH}">I have written it down</a></p>
</div>`,
  });
}
