import t from 'tap'
import { PermanentError } from '../../../app/errors.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { sampleNotification } from '../../../app/testing/samples.ts'
import { signatureHeaders } from '../../../app/testing/sign.ts'
import { ERROR_QUERY, LOG_DASHBOARD_QUERIES, type LogQuery } from '../../../infra/log-queries.ts'
import { metricsOf } from '../../support/emf.ts'
import { buildListener } from '../../support/listener.ts'
import { runRole } from '../../support/role.ts'

let failures = 1

const { webhookUrl, atRest, stopRoles, lines, metricLines } = await buildListener(
  t,
  [
    {
      name: 'writes',
      on: ['upload'],
      handle: (_event, { log }) => {
        log.info('a line of its own')
        return 'done'
      }
    },
    {
      name: 'fails-once',
      on: ['upload'],
      handle: () => {
        if (failures-- > 0) throw new Error('not yet')
      }
    },
    {
      name: 'never',
      on: ['delete'],
      handle: () => {
        throw new PermanentError('it cannot be')
      }
    }
  ],
  {
    environment: { METRICS_NAMESPACE: 'Cloudinary/Listener', LOG_LEVEL: 'silent', BODY_LIMIT_BYTES: '65536' }
  }
)

let requests = 0

/**
 * Sends a notification with the trace id of a load balancer, and returns that id and the status. Repeats it
 * while `web` is overloaded, as on a busy machine.
 */
async function post(
  body: string,
  headers: Record<string, string> = {}
): Promise<{ traceId: string; status: number }> {
  const traceId = `Root=1-67891233-${String(++requests).padStart(24, '0')}`
  const signature = signatureHeaders(body, LOCAL_CLOUDINARY, Math.floor(Date.now() / 1000))
  const answer = await fetch(webhookUrl, {
    method: 'POST',
    body,
    headers: { ...signature, 'x-amzn-trace-id': traceId, ...headers }
  })
  await answer.arrayBuffer()
  if (answer.status === 503) return post(body, headers)
  return { traceId, status: answer.status }
}

const linesOf = (traceId: string) =>
  lines
    .filter((line) => line.traceId === traceId)
    .map(({ role, msg, processor }) => [role, msg, ...(processor ? [processor] : [])])

const fieldOf = (line: Record<string, unknown>, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], line)

/** Evaluates the filter of a Logs Insights query on a log line. Supports only the syntax that infra/ uses. */
function passes(line: Record<string, unknown>, query: LogQuery['lines']): boolean {
  const filter = query.find((part) => part.startsWith('filter '))!.slice('filter '.length)
  const text = filter
    .replace(/([\w.]+) like (\/.*?\/)/g, '$2.test(of("$1"))')
    .replace(/([\w.]+) in (\[.*?\])/g, '$2.includes(of("$1"))')
    .replace(/ispresent\(([\w.]+)\)/g, '(of("$1") !== undefined)')
    .replaceAll(' and ', ' && ')
    .replaceAll(' or ', ' || ')
  return new Function('of', `return ${text}`)((path: string) => fieldOf(line, path))
}

/** Returns the fields that a query uses outside its filter. */
const fieldsOf = (query: LogQuery['lines']) =>
  query
    .filter((part) => /^(fields|stats) /.test(part))
    .flatMap(
      (part) => part.replace(/ as \w+|\w+\(\*\)|^\w+/g, '').match(/(?<![@\w(])[a-z][\w.]*(?!\w*\()/gi) ?? []
    )
    .filter((word) => !['by', 'timestamp'].includes(word))

t.test("a trace id finds the request, each processor's lines and its outcome", async (t) => {
  const { traceId, status } = await post(JSON.stringify(sampleNotification('upload')))
  t.equal(status, 200)
  await atRest()
  t.strictSame(linesOf(traceId), [
    ['web', 'notification accepted'],
    ['worker', 'a line of its own', 'writes'],
    ['worker', 'event processed', 'writes'],
    ['worker', 'event failed; will be retried', 'fails-once'],
    ['worker', 'event processed', 'fails-once']
  ])
})

t.test('a trace id finds ignored, dead-lettered and refused requests', async (t) => {
  const ignored = await post(JSON.stringify(sampleNotification('create_folder')))
  const dead = await post(JSON.stringify(sampleNotification('delete')))
  const unsigned = await post('{}', { 'x-cld-signature': '' })
  const tampered = await post('{}', { 'x-cld-signature': 'f'.repeat(40) })
  const tooLarge = await post('x'.repeat(70_000))
  await atRest()
  t.strictSame(linesOf(ignored.traceId), [
    ['web', 'notification accepted'],
    ['worker', 'event ignored']
  ])
  t.strictSame(linesOf(dead.traceId), [
    ['web', 'notification accepted'],
    ['worker', 'event dead-lettered', 'never']
  ])
  for (const { traceId } of [unsigned, tampered]) {
    t.strictSame(linesOf(traceId), [['web', 'notification refused']])
  }
  t.strictSame(linesOf(tooLarge.traceId), [['web', 'request refused']])
})

t.test('every line about a request or an event has a trace id', async (t) => {
  const about = lines.filter((line) => 'ip' in line || 'reqId' in line || 'eventId' in line)
  t.ok(about.length >= 12)
  t.strictSame(
    about.filter(({ traceId }) => traceId === undefined),
    []
  )
})

t.test("the dashboards' queries match the log and its fields", async (t) => {
  const misconfigured = runRole(t, ['web'], { PORT: 'abc' })
  await misconfigured.ended
  const log = [...lines, ...misconfigured.lines] as Record<string, unknown>[]
  const foundBy = (query: LogQuery) =>
    log.filter((line) => query.roles.includes(String(line.role)) && passes(line, query.lines))

  t.strictSame(
    foundBy(ERROR_QUERY).map(({ msg, level }) => [level, msg]),
    [
      [50, 'event dead-lettered'],
      ['fatal', misconfigured.lines[0]?.msg],
      ['fatal', misconfigured.lines[1]?.msg]
    ]
  )
  const [events, notifications, runs, refusals] = LOG_DASHBOARD_QUERIES.map(foundBy)
  const outcomesOf = (found: typeof log = []) => [...new Set(found.map(({ msg }) => msg))].sort()
  t.strictSame(outcomesOf(events), [
    'event dead-lettered',
    'event failed; will be retried',
    'event ignored',
    'event processed'
  ])
  t.strictSame(outcomesOf(notifications), [
    'notification accepted',
    'notification refused',
    'request refused'
  ])
  t.strictSame(outcomesOf(runs), ['event failed; will be retried', 'event processed'])
  t.strictSame(outcomesOf(refusals), ['notification refused', 'request refused'])

  for (const query of [ERROR_QUERY, ...LOG_DASHBOARD_QUERIES]) {
    const found = foundBy(query)
    for (const field of fieldsOf(query.lines)) {
      t.ok(
        found.some((line) => fieldOf(line, field) !== undefined),
        `${query.title}: ${field}`
      )
    }
  }
})

t.test('after shutdown, the metrics account for all requests and events', async (t) => {
  await stopRoles()
  const metrics = metricsOf(metricLines)
  const take = (name: string) => {
    const values = metrics.get(name)
    metrics.delete(name)
    return values
  }
  for (const [name, values] of [
    ['AckLatency{Role=web}', 3],
    ['EndToEndLatency{Role=worker}', 1],
    ['RetriedEventAge{Role=worker}', 1],
    ['ProcessorDuration{Role=worker,Processor=writes}', 1],
    ['ProcessorDuration{Role=worker,Processor=fails-once}', 2],
    ['ProcessorDuration{Role=worker,Processor=never}', 1]
  ] as const) {
    t.equal(take(name)?.length, values, name)
  }
  // on a busy machine the test may take over a minute, so a metric may be in several lines
  const sums = [...metrics]
    .filter(([name]) => !/^(NotificationsUnavailable|ConcurrencyUsed)/.test(name))
    .map(([name, values]) => [name, values.reduce((total, value) => total + value, 0)])
  t.strictSame(Object.fromEntries(sums), {
    'NotificationsAccepted{Role=web}': 3,
    'EventsStored{Role=web}': 3,
    'NotificationsRefused{Role=web}': 3,
    'NotificationsRefused{Role=web,Reason=SIGNATURE_MISSING}': 1,
    'NotificationsRefused{Role=web,Reason=SIGNATURE_INVALID}': 1,
    'NotificationsRefused{Role=web,Reason=BODY_TOO_LARGE}': 1,
    'EventsProcessed{Role=worker}': 1,
    'EventsIgnored{Role=worker}': 1,
    'EventsRetried{Role=worker}': 1,
    'EventsDeadLettered{Role=worker}': 1,
    'ProcessorProcessed{Role=worker,Processor=writes}': 1,
    'ProcessorProcessed{Role=worker,Processor=fails-once}': 1,
    'ProcessorFailed{Role=worker,Processor=fails-once}': 1,
    'ProcessorFailed{Role=worker,Processor=never}': 1,
    'BreakerOpen{Role=worker}': 0
  })
})
