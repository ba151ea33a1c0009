import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { verifyAuthenticationResponse } from '@simplewebauthn/server';
import { expect, it } from 'vitest';
import { verifyAssertion } from '../../../../src/approval/signature/verify-evidence.ts';
import type { SigningKey } from '../../../../src/store/signing-key-store.ts';
import { HttpProblem } from '../../../../src/trading/http-problem.ts';
import { seededRandom } from '../../../fixtures/seeded-random.ts';
import { pythonWith } from '../../../python-packages.ts';
import {
  CHALLENGE,
  COUNTER,
  CREDENTIAL_ID,
  createSigners,
  type MutatedAssertion,
  mutatedAssertion,
  mutationNames,
  ORIGIN,
  RP_ID,
} from './assertion-mutations.ts';

/** `npm run test:assertions` plays a million, and installs the verifier in Python. */
const COUNT = Number(process.env.ASSERTION_MUTATIONS ?? 3_600);
const BATCH = 600;
const IS_LONG = COUNT >= 100_000;
const PYTHON_PACKAGE = 'webauthn==3.0.1';

/**
 * What our verifier does with mutations on which the verifiers differ, and why, by mutation and answer. A difference
 * without a row here fails the test, and so does a row that a million mutations never need.
 */
const explained: Readonly<Record<string, string>> = {
  'signature in another encoding: signature_wrong': 'SimpleWebAuthn reads ECDSA signatures that are not DER',
  'bits of the signature: signature_wrong': 'SimpleWebAuthn does not look at the tag of the DER sequence',
  'base64url in another encoding: signature_malformed':
    'the others decode padding, white space, unused bits, and the standard alphabet',
  'flags: signature_device': 'the others do not compare the backup flags with the enrolled key',
  'bits of the authenticator data: signature_device':
    'the others do not compare the backup flags with the enrolled key',
  'extensions: signature_malformed': 'the others accept CBOR that is not canonical, or not a map',
  'client data: signature_cross_origin': 'the others ignore crossOrigin, and Python also topOrigin',
  'client data: signature_malformed': 'SimpleWebAuthn replaces bytes that are not UTF-8',
  'token binding: accepted': 'WebAuthn Level 3 has no tokenBinding; the others check its status',
  'bits of the key: signature_algorithm':
    'SimpleWebAuthn cuts a coordinate whose length points beyond the end of the key',
  'key in another encoding: signature_algorithm': 'the others read any CBOR, and Python raw points',
  'weak key: signature_algorithm': 'the others accept short RSA keys, other exponents, and points of small order',
};

type Verdict = 'accepted' | 'refused';

function keyOf({ algorithm, publicKey }: MutatedAssertion): SigningKey {
  return {
    ...{ credentialId: CREDENTIAL_ID, publicKey: new Uint8Array(publicKey), algorithm, counter: COUNTER },
    ...{ sub: 'alice', rpId: RP_ID, method: 'webauthn', deviceType: 'singleDevice', backedUp: false },
    ...{ name: 'phone', transports: [], enrolledAt: 0 },
  } as SigningKey;
}

/** Returns `accepted`, or the code of the refusal. */
async function answerOf(one: MutatedAssertion): Promise<string> {
  try {
    await verifyAssertion(
      { credentialId: CREDENTIAL_ID, ...one.response },
      { challenge: (text) => text === CHALLENGE, origin: ORIGIN, rpId: RP_ID, sub: 'alice', method: 'webauthn' },
      { byId: async () => keyOf(one) },
    );
    return 'accepted';
  } catch (error) {
    if (error instanceof HttpProblem) return error.code;
    throw error;
  }
}

async function verdictOfLibrary({ publicKey, response }: MutatedAssertion): Promise<Verdict> {
  try {
    const { verified } = await verifyAuthenticationResponse({
      response: {
        ...{ id: CREDENTIAL_ID, rawId: CREDENTIAL_ID, type: 'public-key', clientExtensionResults: {} },
        response,
      },
      ...{ expectedChallenge: CHALLENGE, expectedOrigin: ORIGIN, expectedRPID: RP_ID, requireUserVerification: true },
      credential: { id: CREDENTIAL_ID, publicKey: new Uint8Array(publicKey), counter: COUNTER },
    });
    return verified ? 'accepted' : 'refused';
  } catch {
    return 'refused';
  }
}

/** Starts the verifier in Python, which answers each batch in a line; undefined if it is not installed. */
function startPython() {
  const python = pythonWith([PYTHON_PACKAGE], { isInstalling: IS_LONG });
  if (python === undefined) return undefined;
  const script = fileURLToPath(new URL('webauthn_verdicts.py', import.meta.url));
  const child = spawn(python, [script, CHALLENGE, ORIGIN, RP_ID], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async verdicts(batch: readonly MutatedAssertion[]): Promise<Verdict[]> {
      const asked = batch.map(({ publicKey, response }) => {
        return { id: CREDENTIAL_ID, key: publicKey.toString('base64url'), counter: COUNTER, response };
      });
      child.stdin.write(`${JSON.stringify(asked)}\n`);
      const { value = '' } = await answers.next();
      if (value.length !== batch.length) throw new Error('the verifier in Python ended');
      return Array.from(String(value), (one) => (one === '1' ? 'accepted' : 'refused'));
    },
    end: () => void child.stdin.end(),
  };
}

it(
  'random mutations of assertions are accepted by three verifiers or by none, but for what is explained',
  async () => {
    const seed = Number(process.env.ASSERTION_SEED ?? (IS_LONG ? Math.floor(Math.random() * 2 ** 31) : 1));
    const unit = seededRandom(seed);
    const random = (below: number) => Math.floor(unit() * below);
    const signers = createSigners();
    const python = startPython();
    if (IS_LONG && process.env.CI === 'true') expect(python).toBeDefined();
    const counts = new Map<string, number>();
    const used = new Set<string>();
    const unexplained: string[] = [];
    for (let start = 0; start < COUNT; start += BATCH) {
      const size = Math.min(BATCH, COUNT - start);
      const batch = Array.from({ length: size }, (_, at) => mutatedAssertion(start + at, signers, random));
      const inPython = python?.verdicts(batch);
      const ours: string[] = [];
      const library: Verdict[] = [];
      for (const one of batch) {
        ours.push(await answerOf(one));
        library.push(await verdictOfLibrary(one));
      }
      const second = (await inPython) ?? [];
      for (const [at, one] of batch.entries()) {
        const others = [library[at], ...(python === undefined ? [] : [second[at]])];
        const row = `${one.mutation.replace(/, .*/, '')}: ${ours[at]}`;
        const said = `${one.mutation}: ${ours[at]}; SimpleWebAuthn ${others[0]}, Python ${others[1] ?? 'not asked'}`;
        counts.set(said, (counts.get(said) ?? 0) + 1);
        if (others.every((other) => (other === 'accepted') === (ours[at] === 'accepted'))) continue;
        used.add(row);
        if (explained[row] === undefined)
          unexplained.push(JSON.stringify({ said, key: one.publicKey.toString('hex'), ...one.response }));
      }
    }
    python?.end();
    const lines = [...counts].map(([said, count]) => `${said}: ${count}`).sort();
    console.info(`${COUNT} mutations (seed ${seed})\n${lines.join('\n')}`);
    expect(unexplained.slice(0, 3)).toEqual([]);
    if (IS_LONG && python !== undefined) expect(Object.keys(explained).filter((row) => !used.has(row))).toEqual([]);
    const honest = lines.filter((line) => line.startsWith('none, '));
    expect(honest).toHaveLength(3);
    for (const line of honest) expect(line).toMatch(/: accepted; SimpleWebAuthn accepted, Python (accepted|not asked)/);
    expect(counts.size).toBeGreaterThan(mutationNames.length);
  },
  6 * 3_600_000,
);
