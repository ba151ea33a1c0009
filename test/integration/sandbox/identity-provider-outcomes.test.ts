import { afterEach, describe, expect, it } from 'vitest';
import type { ProposalDetails } from '../../../src/approval/details.ts';
import { details as flatDetails, refusal, registerApprovalClient } from './identity-provider-fixture.ts';
import { gatewayAsking, proposalDetails } from './proposal-fixture.ts';
import { denyAll, gateway, ownProvider, waiting, withProvider, world } from './provider-desk.ts';

withProvider(() => ({ fetch: async () => new Response(null, { status: 204 }) }));
afterEach(denyAll);

const answerOf = async (response: Response) => ({
  status: response.status,
  error: response.status === 204 ? undefined : ((await response.json()) as { error: string }).error,
});

const outcomeOf = async (id: string) => (await world.phone.request(id)).outcome;
const isThere = (work: Promise<unknown>) =>
  work.then(
    () => true,
    () => false,
  );

describe('what became of a request', () => {
  const approved = async (asked: ProposalDetails = proposalDetails()) => {
    const request = await gateway.ask(asked);
    const id = await waiting();
    await world.phone.decide(id, 'approve');
    return { id, authReqId: request.auth_req_id };
  };

  it('is shown as the gateway tells it, and what is certain is not overtaken', async () => {
    const { id, authReqId } = await approved();
    for (const [state, text] of [
      ['executing', 'sending'],
      ['executed', 'filled 2 at $180.10'],
      ['executed', 'filled 5 at $180.12'],
      ['executing', 'sending'],
    ] as const) {
      expect((await gateway.tell(authReqId, state, text)).status).toBe(204);
    }
    expect(await outcomeOf(id)).toMatchObject({ state: 'executed', text: 'filled 5 at $180.12' });
  });

  it('is corrected where it was told as expired and was carried out late, which nothing overtakes', async () => {
    const { id, authReqId } = await approved();
    await gateway.tell(authReqId, 'expired', 'there is no order');
    expect(await outcomeOf(id)).toMatchObject({ state: 'expired' });
    await gateway.tell(authReqId, 'executed', 'placed; it reached the broker later');
    // Another gateway's word, which was on its way for longer.
    for (const state of ['expired', 'blocked', 'unknown'])
      expect((await gateway.tell(authReqId, state, 'there is no order')).status).toBe(204);
    expect(await outcomeOf(id)).toMatchObject({
      state: 'executed',
      text: 'placed; it reached the broker later',
    });
  });

  it('wakes a phone that waits for it', async () => {
    const { id, authReqId } = await approved();
    const told = world.phone.request(id, { until: 'outcome', waitSeconds: 20 });
    await gateway.tell(authReqId, 'executing');
    await gateway.tell(authReqId, 'blocked', 'price moved');
    expect((await told).outcome).toMatchObject({ state: 'blocked', text: 'price moved' });
  });

  it.each([
    ['cancelled', 'withdrawn'],
    ['blocked', 'withdrawn'],
    ['expired', 'expired'],
  ])('%s while it waits takes it away: it can not be approved, and a poll says so', async (state, status) => {
    const request = await gateway.ask(proposalDetails());
    const id = await waiting();
    expect((await gateway.tell(request.auth_req_id, state, 'told')).status).toBe(204);
    expect(await refusal(gateway.poll(request.auth_req_id))).toBe('access_denied');
    expect(await world.phone.requests('alice')).toEqual([]);
    await expect(world.phone.decide(id, 'approve')).rejects.toMatchObject({ code: 'approval_expired' });
    expect(await world.phone.request(id)).toMatchObject({ status, outcome: { text: 'told' } });
    expect((await gateway.tell(request.auth_req_id, state)).status).toBe(204);
  });

  it('is not withdrawn any more once the person has decided', async () => {
    const { id, authReqId } = await approved();
    const late = await answerOf(await gateway.tell(authReqId, 'cancelled', 'withdrawn'));
    expect(late).toEqual({ status: 409, error: 'already_decided' });
    // The gateway's word is that nothing comes of it; should something come all the same, that is what is shown.
    const nothing = { status: 'approved', outcome: { state: 'cancelled', text: '' } };
    expect(await world.phone.request(id)).toMatchObject(nothing);
    await gateway.tell(authReqId, 'executing');
    await gateway.tell(authReqId, 'executed', 'filled 5 at $180.12');
    expect((await gateway.tell(authReqId, 'cancelled')).status).toBe(409);
    expect((await outcomeOf(id))?.state).toBe('executed');
    expect((await gateway.poll(authReqId)).access_token).toBeTypeOf('string');
  });

  it('is decided once when the tap and the withdrawal come together', async () => {
    for (let i = 0; i < 10; i++) {
      const request = await gateway.ask(proposalDetails());
      const id = await waiting();
      const [tap, told] = await Promise.all([
        isThere(world.phone.decide(id, 'approve')),
        gateway.tell(request.auth_req_id, 'cancelled').then(({ status }) => status === 204),
      ]);
      expect(tap).not.toBe(told);
      expect(await isThere(gateway.poll(request.auth_req_id))).toBe(tap);
    }
  });

  it('is nothing where the answer was lost and the same proposal is asked again', async () => {
    const asked = proposalDetails();
    const { id, authReqId } = await approved(asked);
    await gateway.poll(authReqId);
    await gateway.ask(asked);
    expect(await world.phone.request(id)).toMatchObject({
      status: 'approved',
      outcome: { state: 'cancelled', text: 'the response was lost, so approval was requested again' },
    });
    const shown = (await world.phone.allRequests('alice')).filter(({ details }) => details.proposal === asked.proposal);
    expect(shown.map(({ status }) => status)).toEqual(['pending']);
  });

  it('is not said to be done while nobody has decided', async () => {
    const { auth_req_id: id } = await gateway.ask(proposalDetails());
    for (const state of ['executing', 'executed', 'unknown']) {
      expect(await answerOf(await gateway.tell(id, state))).toEqual({ status: 409, error: 'not_decided' });
    }
    expect(await world.phone.requests('alice')).toHaveLength(1);
  });

  it('outlives a restart, a withdrawal that the provider was not told of yet among it', async () => {
    const own = await ownProvider();
    const asking = await gatewayAsking(own);
    const request = await asking.ask(proposalDetails());
    // What a process leaves behind that died right after it recorded the withdrawal.
    const update = "UPDATE approval_requests SET withdrawn_at = ?, outcome_state = 'cancelled'";
    own.database().prepare(update).run(Date.now());
    await own.restart();
    expect(await refusal(asking.poll(request.auth_req_id))).toBe('access_denied');
    const [shown] = await own.phone.allRequests('alice');
    expect(shown).toMatchObject({ status: 'withdrawn', outcome: { state: 'cancelled' } });
  });
});

describe('the word of', () => {
  const ask = async () => (await gateway.ask(proposalDetails())).auth_req_id;
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

  it.each<[string, Record<string, string>, Record<string, unknown>?, string?]>([
    ['nobody', {}],
    ['one without the type of its assertion', {}, {}],
    ['one who names another client', { client_id: 'trade-agent', client_assertion_type: type }, {}],
    ['an assertion for somebody else', { client_assertion_type: type }, { aud: 'http://evil.example' }],
    ['an assertion that has expired', { client_assertion_type: type }, {}, '-1m'],
    ['a client there is not', { client_assertion_type: type }, { iss: 'mallory', sub: 'mallory' }],
    ['the public login client', { client_assertion_type: type }, { iss: 'trade-agent', sub: 'trade-agent' }],
    ['no assertion at all', { client_assertion_type: type, client_assertion: 'x' }],
  ])('%s is not taken', async (_, given, claims, lifetime) => {
    const form = { auth_req_id: await ask(), state: 'cancelled', text: '', ...given };
    const assertion = claims && { client_assertion: await gateway.assertion(claims, lifetime) };
    const answer = await answerOf(await gateway.post({ ...form, ...assertion }));
    expect(answer).toEqual({ status: 401, error: 'invalid_client' });
    expect(await world.phone.requests('alice')).toHaveLength(1);
  });

  it('an assertion that was used is not taken again, here or at the token endpoint', async () => {
    const used = { client_assertion: await gateway.assertion() };
    expect((await gateway.tell(await ask(), 'cancelled', '', used)).status).toBe(204);
    expect((await gateway.tell(await ask(), 'cancelled', '', used)).status).toBe(401);
    const atToken = await fetch(`${world.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({ ...used, client_assertion_type: type, grant_type: 'x' }),
    });
    expect(await answerOf(atToken)).toEqual({ status: 401, error: 'invalid_client' });
  });

  it('another client says nothing about a request', async () => {
    const other = await registerApprovalClient(world, {}, 'bob');
    const theirs = await other.ask(flatDetails());
    expect((await gateway.tell(theirs.auth_req_id, 'cancelled')).status).toBe(404);
    expect((await gateway.tell('no-such-request', 'cancelled')).status).toBe(404);
    expect(await world.phone.requests('bob')).toHaveLength(1);
  });

  it.each([
    ['an unknown state', { state: 'approved' }],
    ['a text that is too long', { text: 'x'.repeat(201) }],
    ['no request', { auth_req_id: '' }],
  ])('the gateway is refused with %s', async (_, more) => {
    const answer = await answerOf(await gateway.tell(await ask(), 'cancelled', '', more));
    expect(answer).toEqual({ status: 400, error: 'invalid_request' });
  });

  it('the gateway can not turn a phone around', async () => {
    const authReqId = await ask();
    const id = await waiting();
    await gateway.tell(authReqId, 'cancelled', 'a\u202eb\nc');
    expect((await outcomeOf(id))?.text).toBe('ab c');
  });
});
