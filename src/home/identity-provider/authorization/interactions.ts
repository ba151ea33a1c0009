import { type Configuration, interactionPolicy } from 'oidc-provider';
import { CONSENT_PATH } from '../protocol.ts';

const { Check, Prompt } = interactionPolicy;

/**
 * Each request is asked about, whoever asked before and whatever was allowed then: the one page does what the prompts
 * `login`, `select_account` and `consent` stand for.
 */
export function interactions(): NonNullable<Configuration['interactions']> {
  const policy = interactionPolicy.base();
  policy.clear();
  policy.add(new Prompt({ name: 'login', requestable: true }));
  policy.add(new Prompt({ name: 'select_account', requestable: true }));
  policy.add(
    new Prompt(
      { name: 'consent', requestable: true },
      new Check('each_time', 'the person is asked each time', 'consent_required', (ctx) =>
        ctx.oidc.result?.consent?.grantId === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
      ),
    ),
  );
  return { policy, url: (_ctx, interaction) => `${CONSENT_PATH}/${interaction.uid}` };
}
