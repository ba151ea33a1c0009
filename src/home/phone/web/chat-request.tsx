import type { RequestPanel } from './chat-events.ts';
import { LocalizedText, listItemKey } from './chat-markdown.tsx';
import { formatTimeLeft } from './times.ts';

/** Renders a proposal in the conversation: the phone's card with the code to compare, but without Approve. */
export function RequestCard({
  request,
  now,
  withdraw,
}: {
  readonly request: RequestPanel;
  readonly now: number;
  readonly withdraw: () => void;
}) {
  const {
    id,
    state,
    isOpen,
    isGood,
    isLive,
    side = '',
    headline,
    terms,
    words,
    environment,
    environmentNote,
  } = request;
  const heading = `request-${id}`;
  return (
    <article
      class={`card request ${side}`}
      aria-labelledby={heading}
      data-testid="request"
      data-id={id}
      data-state={state}
    >
      <p class={`environment ${isLive ? 'live' : 'paper'}`} data-testid="environment">
        <strong>{environment}</strong>
        <span>{environmentNote}</span>
      </p>
      <Amount request={request} />
      <h2 class="headline" id={heading}>
        <span class="words" data-testid="headline">
          {headline}
        </span>
      </h2>
      {terms === '' ? null : (
        <p class="soft terms">
          <LocalizedText text={terms} />
        </p>
      )}
      <p class={`state ${isOpen ? '' : isGood ? 'good' : 'bad'}`} role="status" data-testid="state">
        <LocalizedText text={words} />
      </p>
      <Cautions texts={request.cautions} />
      <Provenance request={request} />
      {isOpen ? <Decision request={request} now={now} withdraw={withdraw} /> : null}
      <details class="all">
        <summary>All fields</summary>
        <dl>
          {request.fields.map(({ label, text }, index) => (
            <div key={listItemKey(index, label)}>
              <dt>{label}</dt>
              <dd>
                <LocalizedText text={text} />
              </dd>
            </div>
          ))}
          <div>
            <dt>Code</dt>
            <dd class="mono">{request.code}</dd>
          </div>
          <div>
            <dt>Proposal</dt>
            <dd class="mono">{id}</dd>
          </div>
        </dl>
      </details>
    </article>
  );
}

function Amount({ request: { amount, bound, worstCase } }: { readonly request: RequestPanel }) {
  if (worstCase === undefined) return null;
  if (amount === undefined) return <p class="amount unbounded">{worstCase}</p>;
  return (
    <>
      <p class="amount">
        <strong data-testid="amount">{amount}</strong> <span aria-hidden="true">{bound}</span>
      </p>
      <p class="worst" data-testid="worst-case">
        <LocalizedText text={worstCase} />
      </p>
    </>
  );
}

function Cautions({ texts }: { readonly texts: readonly string[] }) {
  if (texts.length === 0) return null;
  return (
    <ul class="note small" data-testid="cautions">
      {texts.map((text, index) => (
        <li key={listItemKey(index, text)}>
          <LocalizedText text={text} />
        </li>
      ))}
    </ul>
  );
}

/** Renders who requested the order, and from which sentence. */
function Provenance({ request: { askedBy, sentence, origins } }: { readonly request: RequestPanel }) {
  return (
    <div class="provenance small" data-testid="provenance">
      <p>
        Requested by <strong>{askedBy}</strong>
        {sentence === undefined ? null : (
          <>
            , in your words: “<bdi>{sentence}</bdi>”
          </>
        )}
      </p>
      {origins === undefined ? null : origins.length === 0 ? (
        <p class="soft">Every field is from your words or a default.</p>
      ) : (
        <dl>
          {origins.map(({ label, text }, index) => (
            <div key={listItemKey(index, label)}>
              <dt>{label}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

/** Renders the code and the remaining time. Approval needs the phone's key, so this page only says where to approve. */
function Decision({
  request: { code, isCodeTyped, expiresAt, phoneUrl, headline },
  now,
  withdraw,
}: {
  readonly request: RequestPanel;
  readonly now: number;
  readonly withdraw: () => void;
}) {
  const left = Math.ceil((Date.parse(expiresAt) - now) / 1000);
  return (
    <div class="decide">
      <p class="codebox">
        <span>{isCodeTyped ? 'Type this code on your phone' : 'Must match the code on your phone'}</span>
        <span class="value" data-testid="code">
          {code}
        </span>
      </p>
      <p class="expiry small">
        <span class="soft">Approve or deny on your phone.</span>{' '}
        <strong data-testid="countdown">{left <= 0 ? 'expired' : `${formatTimeLeft(left)} left`}</strong>
      </p>
      <div class="ways">
        {phoneUrl === undefined ? null : (
          <a class="go" href={phoneUrl} target="_blank" rel="noopener noreferrer" data-testid="decide">
            Open your phone page
          </a>
        )}
        <button type="button" class="quiet" data-testid="withdraw" onClick={withdraw}>
          Withdraw<span class="unseen">: {headline}</span>
        </button>
      </div>
    </div>
  );
}
