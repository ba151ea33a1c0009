import { proposalDigest } from '../../../src/approval/details.ts';
import type { ReceiptKey } from '../../../src/approval/receipts/receipt-key.ts';
import type { Receipt } from '../../../src/trading/receipt.ts';
import { forged, withOwnTree } from './receipt-forgeries.ts';

/** Receipts with one value changed, each signed again by a thief of the gateway's key. */

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Path = readonly (string | number)[];

export interface Mutant {
  readonly what: string;
  /** The members on the way to the changed value, without indices. */
  readonly path: string;
  readonly change: 'removed' | 'added' | 'type' | 'value' | 'swapped';
  readonly forge: (receipt: Receipt, key: ReceiptKey) => void;
}

function at(value: Json, path: Path): Json | undefined {
  return path.reduce<Json | undefined>((held, name) => (held as Record<string, Json> | null)?.[name], value);
}

function pathsOf(value: Json, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, one]) => pathsOf(one, [...path, name]))];
}

const otherTypes: readonly Json[] = [null, true, 7, 'text', [], {}];

/** Values of the same kind that could stand there just as well. */
function plausible(value: Json): Json[] {
  if (typeof value === 'boolean') return [!value];
  if (typeof value === 'number') return [value + 1, value - 1, value + 0.5];
  if (typeof value === 'string') return otherTexts(value);
  // A list of one is the same in reverse.
  if (Array.isArray(value)) {
    const reversed = value.length > 1 ? [[...value].reverse()] : [];
    return [[...value, ...value.slice(-1)], value.slice(1), ...reversed];
  }
  return [];
}

function otherTexts(text: string): string[] {
  const time = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) {
    const as = (ms: number) => new Date(ms).toISOString().slice(0, text.length - 1);
    const moved = [time - 40 * 86_400_000, time + 400 * 86_400_000].map((ms) => `${as(ms)}Z`);
    return [...moved, text.replace('Z', '+00:00'), text.replace('T', ' ')];
  }
  if (/^-?\d+(\.\d+)?$/.test(text)) return [`${text}0`, `9${text}`, `-${text}`, `${text}e1`, `0${text}`];
  const words = [
    'buy',
    'sell',
    'placed',
    'rejected',
    'unknown',
    'executed',
    'denied',
    'blocked',
    'webauthn',
    'software',
  ];
  const flipped = `${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`;
  return [
    ...words.filter((word) => word !== text && text.length < 12),
    flipped,
    `${text} `,
    `${text}=`,
    `${text}A`,
    '',
  ];
}

function setAt(receipt: Receipt, path: Path, value: Json | undefined): void {
  const held = at(receipt as unknown as Json, path.slice(0, -1)) as Record<string, Json>;
  const name = path.at(-1) ?? '';
  if (value === undefined && !Array.isArray(held)) delete held[name];
  else if (value === undefined) (held as unknown as Json[]).splice(Number(name), 1);
  else held[name] = value;
}

const nameOf = (path: Path) => path.filter((part) => !/^\d+$/.test(String(part))).join('.');

/** @param other another receipt, whose values are put in */
export function mutantsOf(receipt: Receipt, other: Receipt): Mutant[] {
  const plain = receipt as unknown as Json;
  const mutants: Mutant[] = [];
  const put = (path: Path, change: Mutant['change'], value: Json | undefined) => {
    const what = `${path.join('.')} ${change} ${JSON.stringify(value)?.slice(0, 60) ?? ''}`;
    const name = nameOf(path);
    mutants.push({ what, path: name, change, forge: (r) => setAt(r, path, value) });
    const [whose, first] = path;
    const proposal = whose === 'proposal' ? 'proposal' : whose === 'mandate' && first === 'proposal' ? 'mandate' : '';
    if (proposal === '' || path.length < 2 || path.includes('digest')) return;
    // The same with the digest made to fit.
    mutants.push({
      ...{ what: `${what}, digested`, path: name, change },
      forge: (r) => {
        setAt(r, path, value);
        const changed = proposal === 'proposal' ? r.proposal : r.mandate?.proposal;
        if (changed !== undefined && typeof changed === 'object') changed.digest = proposalDigest(changed);
      },
    });
  };
  for (const path of pathsOf(plain)) {
    if (path[0] === 'signature') continue;
    const value = at(plain, path) as Json;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      put([...path, 'note'], 'added', 'trust me');
    if (path.length === 0) continue;
    put(path, 'removed', undefined);
    const kind = (one: Json) => (one === null ? 'null' : Array.isArray(one) ? 'array' : typeof one);
    for (const one of otherTypes) if (kind(one) !== kind(value)) put(path, 'type', one);
    for (const one of plausible(value)) put(path, 'value', one);
    const swapped = at(other as unknown as Json, path);
    if (swapped !== undefined && JSON.stringify(swapped) !== JSON.stringify(value)) put(path, 'swapped', swapped);
  }
  return [...mutants, ...lineMutants(receipt)];
}

/** Lines changed in a tree of the thief's own. */
function lineMutants(receipt: Receipt): Mutant[] {
  return receipt.record.flatMap(({ line: text }, index) => {
    const line = JSON.parse(text) as Record<string, Json>;
    const told = (change: Mutant['change'], name: string, changed: string): Mutant => ({
      what: `line ${index} ${name} ${change} ${changed.slice(0, 60)}`,
      path: `line.${line.event}.${name}`,
      change,
      forge: (r, key) => withOwnTree(r, key, (lines) => lines.with(index, changed)),
    });
    return Object.entries(line).flatMap(([name, value]) => {
      const { [name]: _, ...rest } = line;
      const others: Mutant[] = [...otherTypes, ...plausible(value)]
        .filter((one) => JSON.stringify(one) !== JSON.stringify(value))
        .map((one) => told('value', name, JSON.stringify({ ...line, [name]: one })));
      return [told('removed', name, JSON.stringify(rest)), ...others];
    });
  });
}

/** Makes the mutant's text; undefined if it equals the receipt or can't be written. */
export async function mutantText(
  text: string,
  key: ReceiptKey,
  mutants: readonly Mutant[],
): Promise<string | undefined> {
  const same = await forged(text, key, () => undefined);
  try {
    const made = await forged(text, key, (receipt, thief) => {
      for (const { forge } of mutants) forge(receipt, thief);
    });
    return made === same ? undefined : made;
  } catch {
    return undefined;
  }
}

/** What only the gateway says: nobody else could know it, and a change of it claims nothing else that was approved. */
const gatewaysWord: readonly RegExp[] = [
  // When the receipt was made: it can be made again at any later time.
  /^issued_at$/,
  // Whether the decision is still stored: without it the receipt claims less. Which rules allowed the order is signed.
  /^decision$/,
];

/** The receipts of a test are made within a minute, which is how far clocks may be apart. */
const isWithinTolerance = ({ path, change }: Mutant): boolean =>
  change === 'swapped' && ['decision.at', 'orders.submitted_at'].includes(path);

export const isGatewaysWord = (mutant: Mutant): boolean =>
  isWithinTolerance(mutant) || gatewaysWord.some((pattern) => pattern.test(mutant.path));

/** Whether one of the mutants changes what the other one replaces, so that the other alone decides. */
export const doOverlap = ([{ path: one }, { path: other }]: readonly [Mutant, Mutant]): boolean =>
  `${one}.`.startsWith(`${other}.`) || `${other}.`.startsWith(`${one}.`);
