import { type Failpoint, failpoints } from '../../src/trading/failpoint.ts';

/** One death: who dies where, once the run (or, after an earlier death, a resume) is on its way. */
export interface Death {
  readonly victim: 'agent' | 'sandbox';
  readonly at: Failpoint;
  /** By kill -9; or not at all: an error is thrown there, and the process goes on as it may. */
  readonly by: Action;
  /** As in TRADE_AGENT_FAILPOINT. */
  readonly failpoint: string;
  /** May end without having died, where the moment is a matter of milliseconds. */
  readonly maySurvive: boolean;
  /** The gateway sends nothing again for this long after the death (QUIET_MS); the next run waits it out. */
  readonly quiet: boolean;
}

export interface PlannedOrder {
  readonly text: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  /** `wavers`: approves the first time, denies when asked again. */
  readonly person: 'approve' | 'deny' | 'wavers';
}

/** One play of the crash matrix, the same for the same failpoint and seed. */
export interface CrashCase {
  readonly name: string;
  readonly deaths: readonly Death[];
  readonly orders: readonly PlannedOrder[];
  /** Whether the person decides as soon as they are asked, or only after the last death. */
  readonly tap: 'at once' | 'after the deaths';
  /** Whether the first run leaves its approvals behind, and a resume is the one that dies. */
  readonly detached: boolean;
  /** Whether the agent is killed too where the sandbox dies; always where another death follows. */
  readonly agentDiesToo: boolean;
  /** Milliseconds between the two resumes at the end. */
  readonly stagger: number;
}

export type Action = 'kill' | 'fail';

const names = Object.keys(failpoints) as Failpoint[];

/** Failpoints an order passes before anybody decides: the tap may come before the death or after it. */
const undecided: readonly Failpoint[] = [
  'propose.priced',
  'propose.written',
  'request.before_call',
  'idp.asked',
  'request.answered',
  'request.stored',
  'poll.before_call',
  'checkpoint.before',
  'checkpoint.stored',
];

/** Deaths after which the gateway can't tell whether the order went out, and lets QUIET_MS pass. */
const quietAfter: readonly Failpoint[] = [
  'gateway.claimed',
  'gateway.before_submit',
  'broker.accepted',
  'broker.written',
  'gateway.reclaimed',
];

/** Failpoints that only a run after a crash passes, with the deaths that lead there. */
const afterwards: Partial<Record<Failpoint, readonly Failpoint[]>> = {
  'lost.drafted': ['poll.answered', 'idp.issued'],
  'settle.taken': ['execute.intent', 'execute.sent', 'execute.answered'],
  'settle.asked': ['execute.intent', 'execute.sent', 'execute.answered'],
  'settle.before_resend': ['execute.intent'],
  'gateway.asked': ['broker.committed', 'gateway.submitted'],
  'gateway.settled': ['broker.committed', 'gateway.submitted'],
  'gateway.reclaimed': ['gateway.claimed'],
};

/** The cases of a failpoint that take half a minute or more, most of it waiting. */
export const isPatient = (name: Failpoint): boolean => quietAfter.includes(name);

export function crashCase(failpoint: Failpoint, action: Action, seed: number): CrashCase {
  const name = `${failpoint}=${action}#${seed}`;
  const random = generator(name);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const before = afterwards[failpoint];
  const two = before === undefined && random() < 0.4;
  const both = random() < 0.5;

  const death = (at: Failpoint, by: Action, passing: number): Death => {
    const victim = /^(idp|gateway|broker)\./.test(at) ? 'sandbox' : 'agent';
    // The order is on its way while the agent dies: at once, or some way down the line.
    // Where another death is to follow, this one must have happened.
    const delay = at === failpoint && at === 'execute.sent' && by === 'kill' ? pick([0, 5, 15, 30, 60]) : 0;
    return {
      victim,
      at,
      by,
      failpoint: `${at}=${by}${delay > 0 ? `:${delay}` : ''}@${passing}`,
      maySurvive: delay > 0,
      quiet: quietAfter.includes(at),
    };
  };
  const passing = (): number => {
    if (failpoint.startsWith('checkpoint.')) return 1 + Math.floor(random() * (two ? 9 : 6));
    // With any line of the first order; a detached run has two of them behind it.
    if (failpoint === 'audit.appended') return 1 + Math.floor(random() * 3);
    return two && both && random() < 0.5 ? 2 : 1;
  };

  const early = undecided.includes(failpoint);
  const refusal = failpoint === 'decision.recorded';
  const alsoRefused = ['poll.answered', 'idp.decided', 'idp.delivered'].includes(failpoint) && random() < 0.3;
  const first = refusal || alsoRefused ? 'deny' : early && random() < 0.4 ? 'deny' : 'approve';
  const wavers = first === 'approve' && random() < 0.12;
  const kinds = shuffled(orderKinds, random);
  const orders = kinds.slice(0, two ? 2 : 1).map((kind, index): PlannedOrder => {
    if (index > 0 && !both) return { ...kind, person: opposite(first) };
    return { ...kind, person: wavers ? 'wavers' : first };
  });
  return {
    name,
    deaths: [
      ...(before === undefined ? [] : [death(pick(before), 'kill', 1)]),
      death(failpoint, action, passing()),
    ],
    orders,
    // Who did not die waits for the person.
    tap: early && action === 'kill' && random() < 0.5 ? 'after the deaths' : 'at once',
    // A sandbox that dies while the person taps is armed with the first run, which must be the one that waits.
    detached: !early && !failpoint.startsWith('idp.') && random() < 0.4,
    agentDiesToo: random() < 0.5,
    stagger: Math.floor(random() * 4) * 60,
  };
}

/**
 * The failpoints to play with the cases of each: as many deaths as seeds, and a quarter as many failures. `only` names
 * one case, as a report does (`execute.intent=kill#3`), or what the failpoints' names begin with (`gateway`).
 */
export function crashCases(seeds: number, only = ''): Map<Failpoint, CrashCase[]> {
  const [, name, action, seed] = /^(.+)=(kill|fail)#(\d+)$/.exec(only) ?? [];
  const wanted = names.filter((known) => (name === undefined ? known.startsWith(only) : known === name));
  if (wanted.length === 0) throw new Error(`there is no case ${only}`);
  const counted = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  return new Map(
    wanted.map((failpoint) => [
      failpoint,
      name !== undefined
        ? [crashCase(failpoint, action as Action, Number(seed))]
        : [
            ...counted(seeds).map((each) => crashCase(failpoint, 'kill', each)),
            ...counted(Math.floor(seeds / 4)).map((each) => crashCase(failpoint, 'fail', each)),
          ],
    ]),
  );
}

/** Symbols apart from each other, so that no order of one case is a wash trade with one left open by another. */
const orderKinds: readonly Omit<PlannedOrder, 'person'>[] = [
  { text: 'buy 2 F', symbol: 'F', side: 'buy' },
  { text: 'buy $25 of PFE', symbol: 'PFE', side: 'buy' },
  { text: 'buy 3 T limit 5 gtc', symbol: 'T', side: 'buy' },
  { text: 'buy 1 BAC stop 500 gtc', symbol: 'BAC', side: 'buy' },
  { text: 'sell 0.25 NVDA', symbol: 'NVDA', side: 'sell' },
  { text: 'sell 1 KO', symbol: 'KO', side: 'sell' },
];

const opposite = (decision: 'approve' | 'deny') => (decision === 'approve' ? 'deny' : 'approve');

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** FNV-1a of the text as seed of mulberry32: numbers in [0, 1), the same on every machine. */
function generator(text: string): () => number {
  let state = 0x811c9dc5;
  for (const character of text) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
