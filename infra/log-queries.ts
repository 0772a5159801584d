/** A CloudWatch Logs Insights query over the log groups of roles. */
export interface LogQuery {
  title: string
  roles: readonly string[]
  lines: readonly string[]
}

const NEWEST_FIRST = 'sort @timestamp desc'

/** Our logger writes levels as words; a logger from `listener.config.ts` may write pino's numbers. */
export const ERROR_QUERY: LogQuery = {
  title: 'Errors, newest first',
  roles: ['web', 'worker'],
  lines: [
    'fields @timestamp, role, msg, code, err.code, err.message, processor, asset, traceId',
    'filter level in ["error", "fatal"] or level in [50, 60]',
    NEWEST_FIRST,
    'limit 20'
  ]
}

export const LOG_DASHBOARD_QUERIES: readonly LogQuery[] = [
  {
    title: 'Events by outcome, newest first',
    roles: ['worker'],
    lines: [
      'fields @timestamp, type, asset, processor, msg, note, reason, err.message, milliseconds, traceId',
      'filter msg like /^event /',
      NEWEST_FIRST,
      'limit 50'
    ]
  },
  {
    title: 'Requests, newest first',
    roles: ['web'],
    lines: [
      'fields @timestamp, msg, type, events, code, reason, ip, milliseconds, traceId',
      'filter msg like /^(notification|request) /',
      NEWEST_FIRST,
      'limit 50'
    ]
  },
  {
    title: 'Processor runs',
    roles: ['worker'],
    lines: [
      'filter msg like /^event / and ispresent(processor) and ispresent(milliseconds)',
      'stats count(*) as runs, avg(milliseconds) as average, pct(milliseconds, 99) as p99, max(milliseconds) as longest by processor, outcome',
      'sort processor asc'
    ]
  },
  {
    title: 'Refused requests by code and address',
    roles: ['web'],
    lines: [
      'filter msg like / refused$/',
      'stats count(*) as requests by code, ip',
      'sort requests desc',
      'limit 20'
    ]
  }
]
