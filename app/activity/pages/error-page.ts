import type { ErrorResponse } from '../request-error.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'

interface Explanation {
  title: string
  /** Advice to the user. */
  advice: string
}

const BY_CODE: Readonly<Record<string, Explanation>> = {
  EVENT_UNKNOWN: {
    title: 'This event is not in the journal',
    advice: 'Check the address. The journal keeps an event for 30 days after it was last written.'
  },
  ASSET_UNKNOWN: {
    title: 'There are no events of this asset',
    advice: 'Check the address. The journal keeps an event for 30 days after it was last written.'
  },
  REPLAY_UNKNOWN: {
    title: 'This replay or discard is not known',
    advice:
      'Check the address. The journal keeps its progress for seven days; each event keeps who replayed or discarded it.'
  },
  CROSS_ORIGIN_REFUSED: {
    title: 'The request came from another site',
    advice: 'Open this page at its own address and repeat the action there.'
  },
  NOTHING_SELECTED: {
    title: 'Nothing is selected',
    advice: 'Go back and select events, or take all that match a filter.'
  },
  JOURNAL_UNAVAILABLE: {
    title: 'The journal does not answer',
    advice:
      'Webhooks do not depend on this page. Check the DynamoDB table (JOURNAL_TABLE) and the permissions of this role, then reload.'
  },
  OVERLOADED: {
    title: 'Too many readers at once',
    advice: 'Reload in a few seconds. Reads of the journal are limited to protect the workers.'
  },
  REPLAY_TOO_LARGE: {
    title: 'Too many events at once',
    advice: 'Go back and narrow the filter, by a time range for example.'
  },
  REPLAYS_BUSY: {
    title: 'Other replays or discards are running',
    advice: 'Wait until one of them ends, or stop it, then start this one.'
  }
}

const BY_STATUS: Readonly<Record<number, Explanation>> = {
  400: { title: 'The request is not valid', advice: 'Go back and correct the input.' },
  401: {
    title: 'Sign in to see the activity',
    advice: 'Reload the page. The user name is “listener”; the password is ACTIVITY_PASSWORD.'
  },
  403: {
    title: 'This is not allowed',
    advice: 'Open the page at its own address and sign in with the password.'
  },
  404: { title: 'There is no such page', advice: 'Check the address, or start from the list of events.' },
  429: { title: 'Too many requests', advice: 'Wait a minute, then reload.' },
  503: { title: 'The page is not available', advice: 'Reload in a moment.' }
}

const OTHER: Explanation = {
  title: 'Unexpected error',
  advice: 'Reload the page. If it keeps failing, look for “request failed” in the log of the activity role.'
}

/** Renders a page with an error and advice. */
export function errorPage({
  status,
  code,
  message
}: Pick<ErrorResponse, 'status' | 'code' | 'message'>): Html {
  const explanation = Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : BY_STATUS[status]
  const { title, advice } = explanation ?? OTHER
  return page({
    title,
    main: html`<div class="error-page"><p class="error-status" aria-hidden="true">${status}</p><h1>${title}</h1><p>${advice}</p><p class="muted"><code>${code}</code>${message && html` · ${message}`}</p><p><a class="button primary" href="/activity">Events</a></p></div>`
  })
}
