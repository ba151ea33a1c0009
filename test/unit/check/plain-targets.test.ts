import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { extractPlainTargets, parseRules } from '../../../src/check/load-rules.ts';
import { rulesFileSchema } from '../../../src/check/rules-schema.ts';
import { always, alwaysIn } from '../../fixtures/always.ts';

const RULES = 'rules:\n  - {name: drift, kind: drift}\n  - {name: fall, kind: drawdown, above: 10%}\n';

const symbol = fc.oneof(
  fc.constantFrom('cash', 'NULL', 'TRUE', 'NO', 'Y', 'BRK.B', 'E1', 'X0'),
  fc.stringMatching(/^[A-Z]{1,5}$/),
);
const part = fc.constantFrom('1%', '0.25%', '0%', '01%', '99%', '1.%', '1..2%', '0.1234567%', '0.5');
const line = fc.oneof(
  { weight: 20, arbitrary: fc.tuple(symbol, part).map(([name, value]) => `  ${name}: ${value}`) },
  fc.constantFrom('', '# others', '  # others', '   AAPL: 1%', '  AAPL: 1% # much', '  "AAPL": 1%', 'AAPL: 1%'),
);
const text = fc
  .tuple(
    fc.constantFrom('', '# mine\n', 'benchmark: SPY\n', '\n', '{a: "\n', 'benchmark: |\n'),
    fc.array(line, { minLength: 1, maxLength: 6 }),
    fc.constantFrom(RULES, '', '#\n', '\n  MSFT: 1%\n', '\r\n'),
  )
  .map(([before, lines, after]) => `${before}targets:\n${lines.join('\n')}\n${after}`);

const targets = (written: unknown) => rulesFileSchema.shape.targets.parse(written);

it('what is taken out of a rules file is what YAML and the schema read there, and the rest stays what it was', () =>
  alwaysIn(2000)(text, (written) => {
    const plain = extractPlainTargets(written);
    if (plain === undefined) return;
    const [rest, whole] = [plain.rest, written].map((one) => {
      try {
        return parse(one) as Record<string, unknown>;
      } catch {
        return undefined;
      }
    });
    // A rest that is wrong is read as a whole.
    if (rest === undefined) return;
    expect({ ...rest, targets: plain.targets }).toEqual({ ...whole, targets: targets(whole?.targets) });
  }));

const share = fc.stringMatching(/^[A-Z][A-Z0-9]{0,9}(\.[A-Z0-9]{1,4})?$/);
const small = fc.stringMatching(/^0{0,3}\d(\.\d{1,6})?%$/);

it('targets of shares that are a line each and fit together are always taken', () =>
  always(fc.dictionary(share, small, { minKeys: 1, maxKeys: 9, noNullPrototype: true }), (parts) => {
    fc.pre(['NULL', 'TRUE', 'FALSE'].every((word) => !Object.hasOwn(parts, word)));
    const lines = Object.entries(parts).map(([name, part]) => `  ${name}: ${part}\n`);
    expect(extractPlainTargets(`targets:\n${lines.join('')}${RULES}`)?.targets).toEqual(targets(parts));
  }));

it.each([
  ['a comment behind one', 'targets:\n  AAPL: 10% # much\n'],
  ['one twice', 'targets:\n  AAPL: 10%\n  AAPL: 20%\n'],
  ['more than all together', 'targets:\n  AAPL: 60%\n  MSFT: 41%\n'],
  ['a symbol too long', 'targets:\n  ABCDEFGHIJK: 10%\n'],
  ['a percentage that is none', 'targets:\n  AAPL: 1..5%\n'],
  ['a word of YAML’s', 'targets:\n  TRUE: 10%\n'],
  ['one further in', 'targets:\n  AAPL: 10%\n    MSFT: 20%\n'],
  ['a text before them that may go on', 'benchmark: "\ntargets:\n  AAPL: 10%\n"\n'],
])('are left to YAML with %s', (_, written) => expect(extractPlainTargets(written)).toBeUndefined());

it('a rules file is read the same, and its mistakes have the same lines', async () => {
  const plain = `targets:\n  AAPL: 40%\n  cash: 5%\n${RULES}`;
  const quoted = plain.replace('AAPL', '"AAPL"');
  expect(extractPlainTargets(plain)).toBeDefined();
  expect(extractPlainTargets(quoted)).toBeUndefined();
  expect(await parseRules(plain, 'rules.yaml')).toEqual(await parseRules(quoted, 'rules.yaml'));
  await expect(parseRules(plain.replace('10%', '10'), 'rules.yaml')).rejects.toThrow('rules.yaml:6: ');
  await expect(parseRules(plain.replace('40%', '99%'), 'rules.yaml')).rejects.toThrow('rules.yaml:1: ');
  await expect(
    parseRules(plain.replace('above: 10%', 'above: 10%, message: "{nothing}"'), 'rules.yaml'),
  ).rejects.toThrow('rules.yaml:6: ');
});
