import { type Context, Hono } from 'hono';
import { parseJson } from '../../../values/parse-json.ts';
import type { ApprovalRequest, DecisionOutcome } from '../../identity-provider/approval-requests.ts';
import { type BrowserContext, type BrowserEnv, hasFullAccess } from '../page/browser-env.ts';
import { describeKeyError, redirectToSignIn, renderMessagePage, renderPasskeyRequiredPage } from '../page/page.ts';
import type { Approver, DecisionServices, IncompleteStep } from './approval-steps.ts';
import { renderResultPanel } from './result-panel.ts';

interface DecisionProblem {
  readonly status: 400 | 403 | 404 | 409 | 410 | 422;
  readonly title: string;
  readonly text: string;
  readonly link?: { readonly href: string; readonly text: string };
}

const decisionProblems: Record<
  Exclude<DecisionOutcome['outcome'], 'decided' | 'repeated' | 'not_signed'>,
  DecisionProblem
> = {
  not_found: { status: 404, title: 'No such request', text: 'It is not among your requests.' },
  conflict: {
    status: 409,
    title: 'Already decided',
    text: 'You already made the opposite decision. Decisions are final.',
  },
  expired: {
    status: 410,
    title: 'Too late',
    text: 'This request has expired, and nothing was placed. Propose the order again.',
  },
  withdrawn: {
    status: 410,
    title: 'Withdrawn',
    text: 'The request was withdrawn before you decided. Nothing was placed.',
  },
};
const noDecision: DecisionProblem = {
  status: 400,
  title: 'Nothing was decided',
  text: 'The form had no decision.',
};
const noSignature: DecisionProblem = {
  status: 422,
  title: 'Not approved',
  text: 'Your passkey did not sign the request, because signing requires JavaScript. Deny the request, or turn on JavaScript and reload the page.',
};

/**
 * Creates the routes for Approve and Deny: the steps before an approval, its signing options, and the decision itself.
 */
export function createDecisionRoutes(services: DecisionServices): Hono<BrowserEnv> {
  const { requests, steps } = services;
  const app = new Hono<BrowserEnv>();
  const own = async (id: string, user: string) => {
    const found = await requests.find(id);
    return found?.user === user ? found : undefined;
  };
  /** Describes an unmet step. After too many wrong codes, denies the request, because the person may be guessing. */
  const hindered = async (request: ApprovalRequest, hindrance: IncompleteStep): Promise<DecisionProblem> => {
    if (hindrance.code === 'wrong_code_too_often') await services.decide(request.id, 'deny', request.user);
    return toDecisionProblem(hindrance);
  };

  const missingFor = async (request: ApprovalRequest, approver: Approver, signed: unknown) => {
    if (request.status !== 'pending') return undefined;
    const hindrance = await steps.check(request, approver);
    if (hindrance !== undefined) return await hindered(request, hindrance);
    return signed === undefined && services.signatures === 'required' ? noSignature : undefined;
  };
  const answer = async (context: BrowserContext, result: DecisionOutcome): Promise<Response> => {
    if (result.outcome === 'not_signed') return await respondProblem(context, signatureProblem(result.refusal));
    if (result.outcome !== 'decided' && result.outcome !== 'repeated')
      return await respondProblem(context, decisionProblems[result.outcome]);
    // With script, the page is updated without a reload. Without script, the form's response redirects to the page.
    if (!wantsJson(context)) return context.redirect('/phone', 303);
    const now = (await requests.find(result.request.id)) ?? result.request;
    return context.json({
      result: String(await renderResultPanel(now, await steps.whyDenied(now), await services.accountAfter?.(now))),
    });
  };

  app.post('/phone/requests/:id/options', async (context) => {
    const approver = currentApprover(context);
    if (approver === undefined) return respondProblem(context, signInFirst);
    const request = await own(context.req.param('id'), approver.user);
    if (request === undefined) return respondProblem(context, decisionProblems.not_found);
    if (request.status !== 'pending') return respondProblem(context, settledProblem(request));
    if (!hasFullAccess(context)) return renderPasskeyRequiredPage(context);
    const { match, confirm } = await context.req.parseBody();
    const hindrance = await steps.take(request, approver, { match: shortText(match), confirm: shortText(confirm) });
    if (hindrance !== undefined) return respondProblem(context, await hindered(request, hindrance));
    try {
      return context.json(await services.keys.approvalOptions(request.details, approver.user));
    } catch (error) {
      return respondProblem(context, signatureProblem(error));
    }
  });

  app.post('/phone/requests/:id', async (context) => {
    const approver = currentApprover(context);
    if (approver === undefined) return redirectToSignIn(context, '/phone');
    const { decision, evidence } = await context.req.parseBody();
    if (decision !== 'approve' && decision !== 'deny') return respondProblem(context, noDecision);
    const request = await own(context.req.param('id'), approver.user);
    if (request === undefined) return respondProblem(context, decisionProblems.not_found);
    const signed = parseJson(evidence);
    if (decision === 'approve' && !hasFullAccess(context)) return renderPasskeyRequiredPage(context);
    const missing = decision === 'approve' ? await missingFor(request, approver, signed) : undefined;
    if (missing !== undefined) return respondProblem(context, missing);
    return await answer(context, await services.decide(request.id, decision, approver.user, signed));
  });

  return app;
}

const signInFirst: DecisionProblem = {
  status: 403,
  title: 'You are signed out',
  text: 'Sign in, then decide.',
  link: { href: '/signin?next=/phone', text: 'Sign in' },
};

function toDecisionProblem({ code, title, text: said }: IncompleteStep): DecisionProblem {
  const status = code === 'wrong_code_too_often' ? 409 : code === 'sign_in' ? 403 : 422;
  return { status, title, text: said, ...(code === 'sign_in' ? { link: signInFirst.link } : {}) };
}

/** Describes a problem with the signature. @throws all other errors */
function signatureProblem(error: unknown): DecisionProblem {
  return { status: 403, title: 'Not approved', text: describeKeyError(error).text };
}

function settledProblem({ status }: ApprovalRequest): DecisionProblem {
  return status === 'expired' || status === 'withdrawn'
    ? decisionProblems[status]
    : { ...decisionProblems.conflict, text: 'This request was already decided, and decisions are final.' };
}

function respondProblem(context: BrowserContext, { status, ...said }: DecisionProblem): Response | Promise<Response> {
  if (wantsJson(context)) return context.json(said, status);
  return renderMessagePage(context, status, { link: { href: '/phone', text: 'Back to your requests' }, ...said });
}

function wantsJson(context: Context): boolean {
  return context.req.header('accept') === 'application/json';
}

function currentApprover({ var: { user, session } }: BrowserContext): Approver | undefined {
  if (user === undefined || session === undefined) return undefined;
  return { user: user.username, session: session.id, signedInAt: session.openedAt };
}

function shortText(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, 64) : undefined;
}
