import { type AccountLimits, type Rules, type RulesSource, staticRules } from '../../../../src/gateway/policy/rules.ts';

/** Rules that are nothing but limits, of every account. */
export function limited(limits: AccountLimits): RulesSource {
  return staticRules({ version: 1, accounts: { '*': limits } });
}

/** No rules, once they could be read: whoever decides waits for it. */
export function readAfter(ready: () => Promise<void>): RulesSource {
  const none = staticRules();
  return {
    async current(): Promise<Rules> {
      await ready();
      return none.current();
    },
  };
}

/** Stops whoever passes until it is opened; `reached` once the first one has come. */
export function gate() {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const pass = () => {
    reached.resolve();
    return opened.promise;
  };
  return { pass, reached: reached.promise, open: opened.resolve };
}
