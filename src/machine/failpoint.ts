import { readFileSync, writeSync } from 'node:fs';

/*
 * Places where a test build can be made to die, fail or stand still, to show what the program does about it:
 *
 *     TRADE_AGENT_FAILPOINT="propose.noted=kill"            at the first passing
 *     TRADE_AGENT_FAILPOINT="checkpoint.stored=kill@3"       at the third
 *     TRADE_AGENT_FAILPOINT="propose.before_call=kill:40"           40 ms later, while the program goes on
 *     TRADE_AGENT_FAILPOINT="wait.answered=delay:200,result.read=fail"
 *     TRADE_AGENT_FAILPOINT=@FILE                            read at each passing, so that a server can be armed later
 *
 * In the program that is shipped none of this exists: the build says "production", the body below is empty then, and
 * calls of an empty function are left out.
 */

/** Every failpoint, in the order an order passes them. `part.moment`; the moment is over when the failpoint is passed. */
export const failpoints = {
  'init.begun': 'home init: its folder is there under another name, nothing is in it',
  'init.keyed': 'home init: the key of its gateway is written',
  'init.sealed': 'home init: the secret that seals is written',
  'init.addressed': 'home init: home.yaml is written',
  'init.served': 'home init: gateway.yaml is written',
  'init.limited': 'home init: limits.yaml is written',
  'init.peopled': 'home init: its owner is in the database',
  'account.verified': 'home: the broker knows the key pair, nothing of it is kept',
  'account.kept': 'home: the key pair is kept, sealed, nobody was told',
  'broker.named': 'home broker add: gateway.yaml has the broker, nobody was told',
  'init.whole': 'home init: everything is there, the folder has not its name',
  'init.named': 'home init: the folder has its name, nobody was told',
  'key.verified': 'home: a new key is verified, nothing of it is kept',
  'key.written': 'home: a key is written and what allowed it is used up, the transaction is open',
  'key.enrolled': 'home: a key is enrolled, its browser is not signed in',
  'key.removed': 'home: a key is removed, the browsers that it let in are signed in',
  'person.stripped': 'home user remove: nothing of a person is left but their name',
  'person.ended': 'home: whatever a removed person had open is withdrawn, that it is so is not noted',
  'signal.kept': 'home: a company’s signal is kept, and nobody gets in by it any more; it is not answered',
  'signal.withdrawn': 'home: what came by a company for a person is withdrawn, the record does not say so',
  'signal.ended': 'home: all that a signal takes back has ended, that it is so is not noted',
  'session.opened': 'home: a browser is signed in, and does not know it',
  'propose.before_call': 'agent: the request stands in the checkpoint, the gateway has heard nothing',
  'proposal.completed': 'gateway: the proposal is complete, no row is written',
  'proposal.drafted': 'gateway: the row is written (drafted), nobody is asked yet',
  'ask.before_call': 'gateway: about to ask the identity provider',
  'idp.asked': 'identity provider: the question is kept, the gateway has no answer yet',
  'push.due': 'identity provider: about to ring for a request, nothing is sent',
  'push.sent': 'identity provider: whoever can ring has rung, its table knows nothing of it',
  'push.sent_again': 'identity provider: it has rung once more, its table knows nothing of it',
  'ask.answered': 'gateway: it has the auth_req_id, the row has not',
  'ask.stored': 'gateway: the row has it (requested)',
  'propose.answered': 'agent: it knows the proposal in memory only',
  'propose.noted': 'agent: its table has the proposal, the checkpoint has not',
  'signature.verified': 'home: what a key signed holds, nothing of it is kept',
  'signature.kept': "home: what a key signed is kept, and its counter, the person's decision is not",
  'idp.decided': "identity provider: the person's decision is kept, the protocol's side knows nothing of it",
  'push.taken_back': 'identity provider: the ring for what is settled is taken back, its table still has it',
  'idp.granted': 'identity provider: a grant is kept that belongs to no request yet',
  'idp.delivered': 'identity provider: the next poll will be answered',
  'poll.before_call': 'gateway: about to poll',
  'idp.issued':
    'identity provider: the token is issued and the request used up, the gateway has no answer yet',
  'poll.answered': 'gateway: it has the token (or the refusal) in memory only',
  'approval.sealed': 'gateway: the token is sealed in the row (approved)',
  'decision.recorded': 'gateway: a refusal is in the row (denied, expired, blocked)',
  'lost.drafted': 'gateway: the answer was lost, the row is back at drafted',
  'execute.intent': 'gateway: the intent is written (executing), nothing is sent',
  'gateway.verified': 'gateway: token, details and policy hold, nothing is written in the journal',
  'gateway.claimed': 'gateway: the approval is used up and the intent in the journal',
  'gateway.before_submit': 'gateway: about to call the broker',
  'broker.accepted': 'broker: the order passes every check, nothing is written',
  'broker.written': 'broker: the order is written, the transaction is open',
  'broker.committed': 'broker: the order is in the book, the gateway has no answer yet',
  'gateway.submitted': 'gateway: it has the answer of the broker, its journal has not',
  'gateway.recorded': "gateway: the journal has the order, the proposal's row has not",
  'execute.answered': "gateway: the desk has told what came of it, the proposal's row has not",
  'execute.recorded': 'gateway: the row has it (executed), the audit file has not',
  'audit.appended': 'gateway: lines are on the audit file, and still noted in the database',
  'gateway.asked': 'gateway, after a crash: it has asked the broker, its journal is unsettled',
  'gateway.settled': 'gateway, after a crash: its journal has the order that the broker was found to have',
  'gateway.reclaimed': 'gateway, after a crash: it has the right to submit again',
  'wait.answered': 'agent: it has news of the proposal in memory only',
  'result.read': 'agent: it knows what came of the proposal, the conversation does not',
  'checkpoint.before': 'agent: about to store a checkpoint of the graph',
  'checkpoint.stored': 'agent: a checkpoint of the graph is stored',
} as const;

export type Failpoint = keyof typeof failpoints;

const passings = new Map<string, number>();

/**
 * A place where a test build can be made to fail. Blocks the whole process where it delays, as a stopped process
 * would.
 * @throws {Error} where it is told to fail
 */
export function failpoint(name: Failpoint): void {
  if (process.env.TRADE_AGENT_BUILD === 'test') pass(name);
}

function pass(name: Failpoint): void {
  const asked = text();
  // Counted anew for each order, so that a server armed later counts from then on.
  const key = `${name} ${asked}`;
  const passing = (passings.get(key) ?? 0) + 1;
  passings.set(key, passing);
  for (const { action, ms } of orders(asked, name, passing)) {
    // Written at once: who dies next has no other chance to say that it got here.
    writeSync(2, `failpoint ${name}: ${action}\n`);
    switch (action) {
      case 'kill':
        if (ms > 0) setTimeout(() => process.kill(process.pid, 'SIGKILL'), ms);
        else process.kill(process.pid, 'SIGKILL');
        break;
      case 'fail':
        throw new Error(`failpoint ${name}`);
      case 'delay':
        stand(ms);
        break;
    }
  }
}

type Action = 'kill' | 'fail' | 'delay';

/** What is asked for at this passing. A misspelt order stops the program: a test that kills nothing shows nothing. */
function orders(asked: string, name: Failpoint, passing: number): { action: Action; ms: number }[] {
  return asked
    .split(',')
    .filter((part) => part.trim() !== '')
    .flatMap((part) => {
      const match = /^([a-z_.]+)=(kill|fail|delay)(?::(\d+))?(?:@(\d+))?$/.exec(part.trim());
      const [, where, action, ms = '0', nth = '1'] = match ?? [];
      if (where === undefined || !Object.hasOwn(failpoints, where))
        throw new Error(`not a failpoint: ${part}`);
      return where === name && Number(nth) === passing ? [{ action: action as Action, ms: Number(ms) }] : [];
    });
}

function text(): string {
  const value = process.env.TRADE_AGENT_FAILPOINT ?? '';
  if (!value.startsWith('@')) return value;
  try {
    return readFileSync(value.slice(1), 'utf8');
  } catch {
    return '';
  }
}

function stand(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
