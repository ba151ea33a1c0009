import type { Hono } from 'hono';
import { html } from 'hono/html';
import type { GrantDetails, GrantTerms } from '../../approval/signature/grant.ts';
import { parseJson } from '../../values/parse-json.ts';
import { passkeyAuthentication } from '../identity-provider/protocol/protocol.ts';
import {
  DEFAULT_GRANT_DAYS,
  GRANT_LIFETIMES_DAYS,
  type GrantConsent,
  type GrantLifetimeDays,
  parseGrantDays,
  type SignedGrants,
} from '../identity-provider/signed-grants.ts';
import { type BrowserContext, type BrowserEnv, hasFullAccess } from './page/browser-env.ts';
import {
  createKeyErrorResponse,
  type Markup,
  redirectToSignIn,
  renderKeyErrorPage,
  renderMessagePage,
  renderPasskeyRequiredPage,
} from './page/page.ts';

/** Renders a field for choosing how long a grant lasts. */
export function renderLifetimeField(): Markup {
  return html`<label for="days">Access ends after</label>
<select id="days" name="days" data-testid="days">${GRANT_LIFETIMES_DAYS.map(
    (days) =>
      html`<option value="${days}" ${days === DEFAULT_GRANT_DAYS ? 'selected' : ''}>${days === 1 ? '1 day' : `${days} days`}</option>`,
  )}</select>`;
}

/**
 * Returns an attribute that makes the page's script sign a grant before it submits the form.
 * @param options the path that returns the options for signing
 */
export function signingAttribute({ isRequired }: SignedGrants, options: string): Markup | '' {
  return isRequired ? html`data-passkey="sign ${options}"` : '';
}

/** Parses a person's consent from a form. If something is missing, returns a page that says so. */
export async function readConsent(
  context: BrowserContext,
  { isRequired }: SignedGrants,
): Promise<GrantConsent | Response> {
  const { session } = context.var;
  if (session === undefined || !hasFullAccess(context)) return renderPasskeyRequiredPage(context);
  const { evidence, days: given } = await context.req.parseBody();
  const days = parseGrantDays(given);
  if (days === undefined) return renderStaleForm(context);
  if (isRequired && typeof evidence !== 'string') {
    return renderMessagePage(context, 422, {
      title: 'Not allowed',
      text: 'Your passkey did not sign this, because signing requires JavaScript. Turn on JavaScript, reload the page, and try again.',
    });
  }
  const by = passkeyAuthentication({ synced: session.synced, at: session.openedAt });
  return { evidence: parseJson(evidence), days, session: by };
}

/**
 * Responds with the options for signing a grant.
 * @param read returns the grant, or a page that says why there is no grant
 */
export async function respondWithSigningOptions(
  context: BrowserContext,
  signed: SignedGrants,
  read: (days: GrantLifetimeDays) => Promise<GrantDetails | Response>,
): Promise<Response> {
  if (!hasFullAccess(context)) return renderPasskeyRequiredPage(context);
  const days = parseGrantDays((await context.req.parseBody()).days);
  if (days === undefined) return renderStaleForm(context);
  const details = await read(days);
  if (details instanceof Response) return details;
  try {
    return context.json(await signed.signingOptions(details));
  } catch (error) {
    return createKeyErrorResponse(context, error);
  }
}

/** Renders a hidden field with the ID of a code's grant. */
export function renderGrantField(signed: SignedGrants): Markup {
  return html`<input type="hidden" name="grant" value="${signed.createCodeId()}">`;
}

/** Adds the routes that sign and issue a code, such as a registration token. @param issue renders the code */
export function addCodeRoutes(
  app: Hono<BrowserEnv>,
  signed: SignedGrants,
  {
    path,
    page,
    kind,
    issue,
  }: {
    readonly path: string;
    /** Path of the page with the form. */
    readonly page: string;
    readonly kind: Parameters<SignedGrants['codeDetails']>[0];
    readonly issue: (context: BrowserContext, grant: GrantTerms) => Promise<Response>;
  },
): void {
  const read = async (context: BrowserContext, sub: string, days: GrantLifetimeDays) => {
    const { grant } = await context.req.parseBody();
    return signed.codeDetails(kind, grant, { sub, days }) ?? renderStaleForm(context);
  };
  app.post(`${path}/options`, async (context) => {
    const { user } = context.var;
    if (user === undefined) return redirectToSignIn(context, page);
    return await respondWithSigningOptions(context, signed, (days) => read(context, user.username, days));
  });
  app.post(path, async (context) => {
    const { user } = context.var;
    if (user === undefined) return redirectToSignIn(context, page);
    const consent = await readConsent(context, signed);
    if (consent instanceof Response) return consent;
    const details = await read(context, user.username, consent.days);
    if (details instanceof Response) return details;
    try {
      await signed.requireSignature(details, consent, { once: true });
    } catch (error) {
      return renderKeyErrorPage(context, error, { href: page, text: 'Try again' });
    }
    return await issue(context, details.grant);
  });
}

function renderStaleForm(context: BrowserContext): Response | Promise<Response> {
  return renderMessagePage(context, 400, {
    title: 'This page is out of date',
    text: 'Reload the page, and try again.',
  });
}
