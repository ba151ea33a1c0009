import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CibaApprovalClient } from '../../../src/approval/ciba/ciba-approval-client.ts';
import { type Lies, type LyingProvider, startLyingProvider } from '../auth/lying-provider.ts';
import { aQuestion, optionsFor } from './asking-fixture.ts';

let provider: LyingProvider;
beforeEach(async () => {
  provider = await startLyingProvider();
});
afterEach(() => provider.close());

const lie = (lies: Lies) => Object.assign(provider.lies, lies);

describe('an outcome', () => {
  const told: Record<string, string>[] = [];
  beforeEach(() => {
    told.length = 0;
  });
  const listening = (answer: () => Response = () => new Response(null, { status: 204 })) =>
    lie({
      metadata: (metadata) => ({ ...metadata, backchannel_outcome_endpoint: `${provider.issuer}/outcome` }),
      instead: {
        '/outcome': (request) => {
          told.push({ method: request.method, type: request.headers.get('content-type') ?? '' });
          void request
            .clone()
            .text()
            .then((text) => told.push(Object.fromEntries(new URLSearchParams(text))));
          return answer();
        },
      },
    });

  it('is told where the provider listens, by the client that asked', async () => {
    listening();
    const asking = new CibaApprovalClient(optionsFor(provider));
    await asking.reportOutcome('auth-req-id', { state: 'executed', text: 'filled 5 at $180.12' });
    await expect.poll(() => told.length).toBe(2);
    expect(told[0]).toMatchObject({ method: 'POST', type: expect.stringContaining('form-urlencoded') });
    expect(told[1]).toMatchObject({
      auth_req_id: 'auth-req-id',
      state: 'executed',
      text: 'filled 5 at $180.12',
      client_id: 'approval',
    });
    expect(decodeJwt(told[1]?.client_assertion ?? '')).toMatchObject({
      iss: 'approval',
      aud: provider.issuer,
    });
  });

  it('is told to nobody who doesn’t listen', async () => {
    listening();
    lie({ metadata: (metadata) => metadata });
    const asking = new CibaApprovalClient(optionsFor(provider));
    await asking.reportOutcome('auth-req-id', { state: 'cancelled', text: 'withdrawn' });
    expect(told).toEqual([]);
  });

  it('that can’t be told is no failure, and no redirect is followed with it', async () => {
    for (const answer of [
      () => Response.json({ error: 'already_decided' }, { status: 409 }),
      () => new Response('', { status: 307, headers: { location: `${provider.issuer}/elsewhere` } }),
    ]) {
      listening(answer);
      const asking = new CibaApprovalClient(optionsFor(provider));
      await asking.reportOutcome('auth-req-id', { state: 'cancelled', text: 'withdrawn' });
    }
    await provider.close();
    const asking = new CibaApprovalClient(optionsFor(provider));
    await asking.reportOutcome('auth-req-id', { state: 'cancelled', text: 'withdrawn' });
    expect(provider.elsewhere()).toBe(0);
  });

  it('goes to no address without TLS', async () => {
    lie({
      metadata: (metadata) => ({ ...metadata, backchannel_outcome_endpoint: 'http://evil.example/outcome' }),
    });
    const asking = new CibaApprovalClient(optionsFor(provider));
    await expect(asking.request(aQuestion())).rejects.toMatchObject({ code: 'provider_error' });
  });
});
