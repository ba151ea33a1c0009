import { expect, it } from 'vitest';
import type { KernelDeps } from '../../../src/approval/kernel-deps.ts';
import { approvalStatement } from '../../../src/approval/signature/statement.ts';
import type { VerifiedEvidence } from '../../../src/approval/signature/verify-evidence.ts';
import { HttpProblem } from '../../../src/trading/http-problem.ts';
import { GATEWAY, kernelWorld, restarted } from './kernel-world.ts';

type Check = NonNullable<KernelDeps['signatures']>['check'];
const passes: Check = async () => ({ method: 'webauthn' }) as VerifiedEvidence;
const noNonce = new HttpProblem(403, 'signature_nonce', 'a different statement was signed: its nonce differs');

it('a signature is looked at over the row’s own details, and whether it is the first time', async () => {
  const looks: Parameters<Check>[] = [];
  const check: Check = async (...look) => {
    looks.push(look);
    return await passes(...look);
  };
  const world = kernelWorld({ signatures: { check } });
  world.verify = ((verify) => async (token, time) => ({
    ...(await verify(token, time)),
    approvalEvidence: { signed: 'by alice' },
  }))(world.verify);
  world.steps.push({ outcome: 'unknown', text: 'no answer' });
  const { id, digest, code, nonce } = await world.left('approved');
  world.start();
  await world.until(id, 'executed');
  const details = { locations: [GATEWAY], proposal: id, digest, code, nonce, worst_case: null };
  expect(looks).toHaveLength(2);
  for (const [given, evidence, sub] of looks) {
    expect(given).toMatchObject(details);
    expect(evidence).toEqual({ signed: 'by alice' });
    expect(sub).toBe('alice');
  }
  expect(looks.map(([, , , time]) => time)).toEqual([{ isFirst: true }, { isFirst: false }]);
  expect(world.book).toHaveLength(1);
});

it.each(['rar', 'message'] as const)('what is not signed is not carried out: %s', async (details) => {
  const check: Check = async () => Promise.reject(noNonce);
  const world = kernelWorld({ answers: ['approved'], details, signatures: { check } });
  expect((await world.proposed('blocked')).reason).toMatchObject({ code: 'signature_nonce' });
  expect(world.book).toEqual([]);
  expect(world.told.at(-1)).toMatchObject({ state: 'blocked' });
});

it('one that may be on its way, and whose signature passes no more, is not called refused', async () => {
  const check: Check = async () => Promise.reject(noNonce);
  const { world, id } = await restarted('executing', { signatures: { check } });
  expect((await world.until(id, 'unknown')).reason).toMatchObject({ code: 'outcome_unknown' });
  expect(world.book).toEqual([]);
});

it.each([
  ['ends, and says why, where approvals are signed', true, 'blocked'],
  ['is carried out where they are not', false, 'executed'],
] as const)('one from before there were nonces %s', async (_, isSigned, state) => {
  const check: Check = async (details) => {
    approvalStatement(details, 'alice');
    return await passes(details, undefined, 'alice');
  };
  const world = kernelWorld(isSigned ? { signatures: { check } } : {});
  const { id } = await world.left('approved');
  world.database.prepare('UPDATE proposals SET nonce = NULL').run();
  world.start();
  const { reason } = await world.until(id, state);
  expect(reason?.text).toBe(isSigned ? 'the proposal predates signed approvals' : undefined);
  expect(world.book).toHaveLength(isSigned ? 0 : 1);
});

it('each draft has a nonce of its own, and its question carries it', async () => {
  const world = kernelWorld();
  const one = await world.propose('5');
  const two = await world.propose('6');
  expect(one.nonce).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(two.nonce).not.toBe(one.nonce);
  expect(world.questions.map(({ details }) => details.nonce)).toEqual([one.nonce, two.nonce]);
});
