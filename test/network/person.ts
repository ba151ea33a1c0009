import { join } from 'node:path';
import { beginDeviceLogin } from '../../src/auth/session/device-login.ts';
import { openSession } from '../../src/auth/session/token-session.ts';
import { resolveProfile } from '../../src/config/resolve-profile.ts';
import { createPhoneClient, type PhoneClient } from '../../src/home/phone/phone-client.ts';
import { openFileStore } from '../../src/secrets/file/file-store.ts';
import type { MandateView } from '../../src/trading/mandate/mandate.ts';
import type { Proposal, ProposalRequestInput } from '../../src/trading/proposal.ts';
import { until } from './until.ts';

const SCOPES = ['orders:read', 'orders:propose', 'orders:mandate'];
/** A tap, and the answers of programs that are there. */
const SOON_MS = 60_000;

/** Why the gateway did not take a proposal. */
export interface Refused {
  readonly status: number;
  readonly code: string;
  readonly reason?: string;
}

/** Alice, who is signed in at the gateway, and her phone. */
export interface Person {
  /** @throws if the gateway refuses it, which {@link Person.ask} tells instead */
  propose(request: ProposalRequestInput): Promise<Proposal>;
  ask(request: ProposalRequestInput): Promise<Proposal | Refused>;
  proposal(id: string): Promise<Proposal>;
  mandate(id: string): Promise<MandateView>;
  /** Approves a proposal on the phone once it is shown there. */
  tap(proposal: string): Promise<void>;
  /** What the phone says came of a proposal; undefined if it never rang for it. */
  told(proposal: string): Promise<Told | undefined>;
}

export interface Told {
  readonly status: string;
  readonly outcome: string | undefined;
  readonly text: string | undefined;
}

export async function signIn(options: {
  readonly folder: string;
  readonly issuer: string;
  readonly gateway: string;
  readonly pairingSecret: string;
}): Promise<Person> {
  const { folder, issuer, gateway, pairingSecret } = options;
  const phone = createPhoneClient({ phone: `${issuer}/phone`, pairingSecret });
  const profile = resolveProfile({ profiles: {} }, undefined, { issuer, gateway, phone: `${issuer}/phone` });
  const home = { config: folder, data: folder, log: folder, sandbox: folder };
  const store = openFileStore({ folder: join(folder, 'alice'), profile: profile.name });
  const login = await beginDeviceLogin(profile, store, { home });
  await phone.completeDevice('alice', login.user_code);
  await login.complete(AbortSignal.timeout(SOON_MS));
  const session = await openSession({ profile, store, home });
  if (session === undefined) throw new Error('nobody is signed in');
  const call = async (path: string, init: RequestInit = {}) => {
    const response = await session.fetch(`${gateway}${path}`, init, SCOPES);
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  const found = async <T>(path: string): Promise<T> => {
    const { status, body } = await call(path);
    if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  const asked = new Map<string, string>();
  let proposed = 0;
  const ask: Person['ask'] = async (request) => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': `network-${++proposed}` };
    const { status, body } = await call('/v1/proposals', {
      method: 'POST',
      headers,
      body: JSON.stringify(request),
    });
    if (status < 300) return body as Proposal;
    return { status, code: body.code, ...(body.reason === undefined ? {} : { reason: body.reason }) };
  };
  return {
    ask,
    async propose(request) {
      const answer = await ask(request);
      if ('id' in answer) return answer;
      throw new Error(`the proposal was refused: ${JSON.stringify(answer)}`);
    },
    proposal: (id) => found(`/v1/proposals/${id}`),
    mandate: (id) => found(`/v1/mandates/${id}`),
    async tap(proposal) {
      const question = await until('the phone rings', SOON_MS, () => questionAbout(phone, proposal));
      asked.set(proposal, question);
      await phone.decide(question, 'approve');
    },
    async told(proposal) {
      const question = asked.get(proposal);
      if (question === undefined) return undefined;
      const { status, outcome } = await phone.request(question);
      return { status, outcome: outcome?.state, text: outcome?.text };
    },
  };
}

async function questionAbout(phone: PhoneClient, proposal: string): Promise<string | undefined> {
  const open = await phone.requests('alice');
  return open.find(({ details }) => details.proposal === proposal)?.id;
}
