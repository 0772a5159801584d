/** A question to the log groups of roles, in the language of CloudWatch Logs Insights. */
export interface LogQuery {
  title: string
  roles: readonly string[]
  lines: readonly string[]
}

const NEWEST = 'sort @timestamp desc'

/** What goes wrong. The listener's own logger writes levels as words, one of a user's own perhaps as pino's numbers. */
export const ERRORS: LogQuery = {
  title: 'Errors, the newest first',
  roles: ['web', 'worker'],
  lines: [
    'fields @timestamp, role, msg, code, err.code, err.message, processor, asset, traceId',
    'filter level in ["error", "fatal"] or level in [50, 60]',
    NEWEST,
    'limit 20'
  ]
}

/** What the listener did, by what its roles log. */
export const ACTIVITY: readonly LogQuery[] = [
  {
    title: 'What became of each event',
    roles: ['worker'],
    lines: [
      'fields @timestamp, type, asset, processor, msg, note, reason, err.message, milliseconds, traceId',
      'filter msg like /^event /',
      NEWEST,
      'limit 50'
    ]
  },
  {
    title: 'What came in, and what was refused',
    roles: ['web'],
    lines: [
      'fields @timestamp, msg, type, events, code, reason, ip, milliseconds, traceId',
      'filter msg like /^(notification|request) /',
      NEWEST,
      'limit 50'
    ]
  },
  {
    title: 'Runs of each processor',
    roles: ['worker'],
    lines: [
      'filter msg like /^event / and ispresent(processor) and ispresent(milliseconds)',
      'stats count(*) as runs, avg(milliseconds) as average, pct(milliseconds, 99) as p99, max(milliseconds) as longest by processor, outcome',
      'sort processor asc'
    ]
  },
  {
    title: 'Refused, by reason and sender',
    roles: ['web'],
    lines: [
      'filter msg like / refused$/',
      'stats count(*) as requests by code, ip',
      'sort requests desc',
      'limit 20'
    ]
  }
]
