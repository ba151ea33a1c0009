import {
  type AccountLimits,
  createStaticRulesSource,
  type Rules,
  type RulesSource,
} from '../../../../src/gateway/policy/rules.ts';

/** Rules that are nothing but limits, of every account. */
export function limited(limits: AccountLimits): RulesSource {
  return createStaticRulesSource({ version: 1, accounts: { '*': limits } });
}

/** No rules, once they could be read: whoever decides waits for it. */
export function readAfter(ready: () => Promise<void>): RulesSource {
  const none = createStaticRulesSource();
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
