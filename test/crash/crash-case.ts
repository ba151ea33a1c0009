import { seededRandom, shuffled } from '../fixtures/seeded-random.ts';
import { type Failpoint, failpoints } from './failpoints.ts';

/** One death: who dies where, once the run (or, after an earlier death, a resume or a restart) is on its way. */
export interface Death {
  /** The sandbox is identity provider, gateway and broker in one process. */
  readonly victim: 'agent' | 'sandbox';
  readonly at: Failpoint;
  /** By kill -9; or not at all: an error is thrown there, and the process goes on as it may. */
  readonly by: Action;
  /** As in TRADE_AGENT_FAILPOINT. */
  readonly failpoint: string;
  /** May end without having died, where the moment is a matter of milliseconds. */
  readonly maySurvive: boolean;
}

export interface PlannedOrder {
  readonly text: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  /** `wavers`: approves once, then denies. `withdraw`: at the terminal. `both`: approves and withdraws at once. */
  readonly person: 'approve' | 'deny' | 'wavers' | 'withdraw' | 'both';
}

/** One play of the crash matrix, the same for the same failpoint and seed. */
export interface CrashCase {
  readonly name: string;
  readonly deaths: readonly Death[];
  readonly orders: readonly PlannedOrder[];
  /** Whether the person decides as soon as they are asked, or only after the last death. */
  readonly tap: 'at once' | 'after the deaths';
  /** Whether the first run leaves its approvals behind: where the sandbox is to die, nobody is there when it does. */
  readonly detached: boolean;
  /** Whether the agent is killed too where the sandbox dies. */
  readonly agentDiesToo: boolean;
  /** Whether nobody resumes until all that was approved is carried out. */
  readonly alone: boolean;
  /** Milliseconds between the two resumes at the end. */
  readonly stagger: number;
  /** Whether a mandate approves it, and nobody is asked. */
  readonly underMandate?: boolean;
}

export type Action = 'kill' | 'fail';

/** Failpoints of ringing are in test/integration/push, those of a home alone in test/crash/home. */
const names = (Object.keys(failpoints) as Failpoint[]).filter(
  (name) => !/^(?:push|init|migrate|account|broker\.named|key|person|session|signal)(?:\.|$)/.test(name),
);

/** Failpoints an order passes before anybody decides: the tap may come before the death or after it. */
const undecided: readonly Failpoint[] = [
  'propose.before_call',
  'proposal.completed',
  'proposal.drafted',
  'ask.before_call',
  'idp.asked',
  'ask.answered',
  'ask.stored',
  'propose.answered',
  'propose.noted',
  'poll.before_call',
  'checkpoint.before',
  'checkpoint.stored',
];

/** Failpoints after the decision that a refusal passes too. */
const eitherWay: readonly Failpoint[] = [
  'poll.answered',
  'idp.decided',
  'idp.delivered',
  'wait.answered',
  'result.read',
];

/** Deaths after which the gateway can't tell whether the order went out, and lets half a minute pass. */
const quietAfter: readonly Failpoint[] = [
  'gateway.claimed',
  'gateway.before_submit',
  'broker.accepted',
  'broker.written',
  'gateway.reclaimed',
];

/** Failpoints that only a gateway after a crash passes, with the deaths that lead there. */
const afterwards: Partial<Record<Failpoint, readonly Failpoint[]>> = {
  'lost.drafted': ['poll.answered', 'idp.issued'],
  'gateway.asked': ['broker.committed', 'gateway.submitted'],
  'gateway.settled': ['broker.committed', 'gateway.submitted'],
  'gateway.reclaimed': ['gateway.claimed', 'gateway.before_submit'],
};

/** Where a gateway can die, with all around it, while one order passes. */
export const orderFailpoints: readonly Failpoint[] = names.filter(
  (name) => victimOf(name) === 'sandbox' && afterwards[name] === undefined,
);

/** The cases of a failpoint that take half a minute or more, most of it waiting. */
export const isPatient = (name: Failpoint): boolean => quietAfter.includes(name);

/** How often a case waits until the gateway may send again. */
export const quietTimes = ({ deaths }: CrashCase): number => deaths.filter(({ at }) => quietAfter.includes(at)).length;

/** Failpoints that an order passes which a mandate approves: no question is put, and no token comes. */
export const mandatedFailpoints: readonly Failpoint[] = names.filter(
  (name) => !/^(?:ask|idp|poll|lost|signature|approval|decision)\./.test(name),
);

function victimOf(at: Failpoint): Death['victim'] {
  return /^(propose|wait|result|checkpoint)\./.test(at) ? 'agent' : 'sandbox';
}

export function crashCase(failpoint: Failpoint, action: Action, seed: number): CrashCase {
  const name = `${failpoint}=${action}#${seed}`;
  const random = generator(name);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const before = afterwards[failpoint];
  const victim = victimOf(failpoint);
  const exits = hasExits(seed);
  const two = before === undefined && random() < 0.4;
  const both = random() < 0.5;

  const passing = (): number => {
    if (failpoint.startsWith('checkpoint.')) return 1 + Math.floor(random() * (two ? 9 : 6));
    // With any line of the first order.
    if (failpoint === 'record.sequenced') return 1 + Math.floor(random() * 3);
    return two && both && random() < 0.5 ? 2 : 1;
  };
  const death = (at: Failpoint, by: Action, nth: number): Death => {
    // The agent dies some way down the line while the gateway goes on.
    const delay = at === 'propose.before_call' && by === 'kill' ? pick([0, 0, 5, 15, 30, 60]) : 0;
    return {
      victim: victimOf(at),
      at,
      by,
      failpoint: `${at}=${by}${delay > 0 ? `:${delay}` : ''}@${nth}`,
      maySurvive: delay > 0,
    };
  };

  const early = undecided.includes(failpoint);
  const tap = early && action === 'kill' && random() < 0.5 ? 'after the deaths' : 'at once';
  const orders = (count: number): PlannedOrder[] => {
    const first = firstPerson();
    const kinds = shuffled(orderKinds, random);
    return (exits ? [withExits, ...kinds.filter((kind) => kind !== withExits)] : kinds)
      .slice(0, count)
      .map((kind, index): PlannedOrder => {
        const person = index === 0 || both ? first : first === 'deny' ? 'approve' : 'deny';
        return { ...kind, person };
      });
  };
  function firstPerson(): PlannedOrder['person'] {
    if (failpoint === 'decision.recorded') return 'deny';
    if (exits) return 'approve';
    const drawn = random();
    // Only where the death comes first: the order may never get as far as the failpoint.
    if (tap === 'after the deaths' && drawn < 0.4) return drawn < 0.2 ? 'withdraw' : 'both';
    if ((early || eitherWay.includes(failpoint)) && drawn < 0.65) return 'deny';
    return drawn > 0.9 ? 'wavers' : 'approve';
  }

  return {
    name,
    deaths: [...(before === undefined ? [] : [death(pick(before), 'kill', 1)]), death(failpoint, action, passing())],
    orders: orders(two ? 2 : 1),
    tap,
    detached: !early && !failpoint.startsWith('checkpoint.') && random() < 0.4,
    agentDiesToo: victim === 'sandbox' && random() < 0.6,
    alone: random() < 0.6,
    stagger: Math.floor(random() * 4) * 60,
  };
}

/** One order that a mandate approves, and a death on its way. The same for the same failpoint and seed. */
export function mandatedCase(failpoint: Failpoint, seed: number): CrashCase {
  const name = `mandate ${failpoint}=kill#${seed}`;
  const random = generator(name);
  const before = afterwards[failpoint];
  const deaths = [...(before === undefined ? [] : [before[Math.floor(random() * before.length)]]), failpoint];
  const [order] = shuffled(orderKinds.slice(0, 3), random) as [Omit<PlannedOrder, 'person'>];
  return {
    name,
    deaths: deaths.map((at) => ({
      victim: victimOf(at as Failpoint),
      at: at as Failpoint,
      by: 'kill',
      failpoint: `${at}=kill@1`,
      maySurvive: false,
    })),
    orders: [{ ...order, person: 'deny' }],
    tap: 'at once',
    detached: false,
    // A broker that is opened by a session is opened again once one of the person's programs comes by: without one no
    // gateway would get as far as a second death. Where it is opened by a key pair nobody need be there (mandate-alone.test.ts).
    agentDiesToo: victimOf(failpoint) === 'sandbox' && before === undefined && random() < 0.6,
    alone: false,
    stagger: Math.floor(random() * 4) * 60,
    underMandate: true,
  };
}

/** The failpoints and the cases of each; `only` is one case (`execute.intent=kill#3`) or a prefix of names. */
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

/** An entry that waits, and both its exits. */
const withExits: Omit<PlannedOrder, 'person'> = {
  text: 'buy 2 CSCO limit 5 take profit 500 and stop loss 2 gtc',
  symbol: 'CSCO',
  side: 'buy',
};

/** Each second case's first order has exits, and is approved: two seeds of a failpoint are one with them and one as drawn. */
const hasExits = (seed: number) => seed % 2 === 0;

/** Symbols apart from each other, so that no order of one case is a wash trade with one left open by another. */
const orderKinds: readonly Omit<PlannedOrder, 'person'>[] = [
  { text: 'buy 2 F', symbol: 'F', side: 'buy' },
  { text: 'buy $25 of PFE', symbol: 'PFE', side: 'buy' },
  { text: 'buy 3 T limit 5 gtc', symbol: 'T', side: 'buy' },
  { text: 'buy 1 BAC stop 500 gtc', symbol: 'BAC', side: 'buy' },
  withExits,
  { text: 'sell 0.25 NVDA', symbol: 'NVDA', side: 'sell' },
  { text: 'sell 1 KO', symbol: 'KO', side: 'sell' },
];

/** Numbers by a text: FNV-1a of it is the seed. */
function generator(text: string): () => number {
  let seed = 0x811c9dc5;
  for (const character of text) seed = Math.imul(seed ^ character.charCodeAt(0), 0x01000193);
  return seededRandom(seed);
}
