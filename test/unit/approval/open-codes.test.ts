import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Proposer } from '../../../src/approval/kind.ts';
import { alice, kernelWorld } from './kernel-world.ts';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The codes to draw next, as one text. After these, codes are random. */
let drawn = '';
const { randomInt } = crypto;
const drawInt = ((max: number) => {
  const [character] = max === CROCKFORD.length ? drawn : '';
  if (character === undefined) return randomInt(max);
  drawn = drawn.slice(1);
  return CROCKFORD.indexOf(character);
}) as typeof randomInt;
beforeEach(() => {
  crypto.randomInt = drawInt;
  syncBuiltinESMExports();
});
afterEach(() => {
  drawn = '';
  crypto.randomInt = randomInt;
  syncBuiltinESMExports();
});

const other: Proposer = { ...alice, clientId: 'another' };
const bob: Proposer = { ...alice, sub: 'bob' };

it('two that are open at the same time have codes of their own, whoever proposed them', async () => {
  const world = kernelWorld();
  drawn = 'AAAAAAAABBBBBBBBAAAACCCC';
  const one = await world.propose('1');
  const two = await world.propose('2');
  const three = await world.propose('3', { by: other });
  expect([one.code, two.code, three.code]).toEqual(['AAAA', 'BBBB', 'CCCC']);
  expect(world.questions.map(({ bindingMessage }) => bindingMessage.slice(-5))).toEqual([' AAAA', ' BBBB', ' CCCC']);
  expect(drawn).toBe('');
});

it.each(['drafted', 'requested', 'approved', 'executing', 'unknown'] as const)(
  'the code of one that is %s is not drawn for another',
  async (state) => {
    const world = kernelWorld();
    const { code } = await world.left(state);
    drawn = `${code}FREE`;
    expect((await world.propose('1')).code).toBe('FREE');
  },
);

it('a code that was drawn for two at once is drawn again for the one that comes too late', async () => {
  const world = kernelWorld();
  drawn = 'AAAAAAAAAAAABBBB';
  const both = await Promise.all([world.propose('1'), world.propose('2', { by: other })]);
  expect(both.map(({ code }) => code).toSorted()).toEqual(['AAAA', 'BBBB']);
});

it('a code is free again once its proposal is over, and another person’s is nobody else’s', async () => {
  const world = kernelWorld();
  drawn = 'AAAAAAAAAAAA';
  const one = await world.propose('1');
  expect((await world.propose('2', { by: bob })).code).toBe('AAAA');
  await world.clock.run(world.kernel.withdraw('alice', one.id));
  expect((await world.propose('3')).code).toBe('AAAA');
});
