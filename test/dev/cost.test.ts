import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { type Bill, bill, blueprintBill, total } from '../../dev/cost/bill.ts'
import { HOURS, SECONDS } from '../../dev/cost/month.ts'
import { PRICES, PRICES_OF, type Price, sourceOf } from '../../dev/cost/prices.ts'
import { activity, costs, dollars, inputs, prices, savings, scale, VOLUMES } from '../../dev/cost/tables.ts'
import { tasksFor, wholeTasks } from '../../dev/cost/task-count.ts'
import { DEFAULT_TRAFFIC, type InputName, TRAFFIC, type Traffic } from '../../dev/cost/traffic.ts'
import { readSettings } from '../../infra/read-settings.ts'
import { Settings } from '../../infra/settings.ts'

const DEFAULTS = Settings.parse({})
const MILLION = 1e6

const withTraffic = (changes: Partial<Traffic>): Traffic => ({ ...DEFAULT_TRAFFIC, ...changes })
const billWith = (changes: object, events = 0) => bill(events, Settings.parse(changes), DEFAULT_TRAFFIC)

/** To the cent. */
const cents = (usd: number | undefined) => Math.round((usd ?? Number.NaN) * 100) / 100

/** Cost that a number of events adds, by item. */
function added(events: number, traffic: Partial<Traffic> = {}, settings: object = {}) {
  const [none, some] = [0, events].map((count) => bill(count, Settings.parse(settings), withTraffic(traffic)))
  return Object.fromEntries(Object.entries(some!).map(([what, usd]) => [what, cents(usd - none![what]!)]))
}

t.test('every price has a source, and states whether it was checked', async (t) => {
  t.match(PRICES_OF.date, /^\d{4}-\d{2}-\d{2}$/)
  for (const [name, price] of Object.entries<Price>(PRICES)) {
    const [usd, , , checked] = price
    t.ok(usd > 0, name)
    t.match(sourceOf(price), /^https:\/\/aws\.amazon\.com\//, name)
    if (checked !== undefined) t.match(checked, /^https:\/\//, name)
  }
  const marked = prices().rows.filter(([, , , checked]) => checked === '**not checked**')
  t.equal(marked.length, Object.values<Price>(PRICES).filter(([, , , checked]) => !checked).length)
})

t.test('without events, the listener costs what it keeps running', async (t) => {
  const idle = billWith({})
  t.equal(cents(idle['Private endpoints to AWS']), 73, '5 endpoints, 2 zones, 730 hours, a cent each')
  t.equal(cents(idle['NAT gateway, to Cloudinary']), cents(HOURS * (0.045 + 0.005)))
  t.equal(cents(idle['Load balancer, its addresses, responses']), cents(HOURS * (0.0225 + 2 * 0.005)))
  t.equal(cents(idle['Firewall (WAF)']), 9)
  t.equal(idle['Journal (DynamoDB)'], 0)
  // 3 tasks of half a vCPU and 1 GB, and a small one for an hour in sixty
  const half = 0.5 * 0.03238 + 0.00356
  t.equal(cents(idle['Tasks (Fargate)']), cents(3 * HOURS * half + (HOURS / 60) * (half / 2)))
  t.equal(
    cents(idle['Queue (SQS)']),
    cents((SECONDS / 2 + (2 * SECONDS) / 5 + (2 * SECONDS) / 10) * (0.5 / MILLION)),
    'a worker polls every 2 s and counts two queues every 10 s, two web tasks poll every 5 s'
  )
})

t.test('a million events add a million times the cost of one', async (t) => {
  const own = added(MILLION, {
    ownShare: 1,
    eventsPerNotification: 1,
    sqsRequests: 3,
    ignoredItemBytes: 1000
  })
  t.equal(own['Queue (SQS)'], 1.5)
  t.equal(own['Firewall (WAF)'], 0.6)
  t.equal(own['Tasks (Fargate)'], 0, 'no further task')
  const kept = (30 / (HOURS / 24)) * 1e-9 * MILLION
  t.equal(
    own['Journal (DynamoDB)'],
    cents(2 * 0.625 + kept * (1100 * (0.25 + 0.2) + 850 * 0.25)),
    'an own change is one write of 1 KB and one in the index'
  )
  const one = added(MILLION, { ownShare: 0, processors: 1, processedItemBytes: 1600 })
  t.equal(
    one['Journal (DynamoDB)'],
    cents(2 * 3 * 0.625 + kept * (1700 * (0.25 + 0.2) + 850 * 0.25)),
    'with one processor, two writes of 2 KB and their copies'
  )
})

t.test('the indexes of the activity page cost a write unit each time that they change', async (t) => {
  const traffic = { ownShare: 0.5, retriedShare: 0.1, historyItemBytes: 150 }
  const {
    'Journal: index by asset (`history`)': history,
    'Journal: index of unfinished events': unfinished
  } = added(MILLION, traffic)
  const kept = (30 / (HOURS / 24)) * 250 * 1e-9 * MILLION
  t.equal(history, cents(0.625 + kept * 0.25), 'once for each event')
  t.equal(unfinished, cents(0.5 * 0.1 * 2 * 0.625), 'added and removed, for each event that is retried')
})

t.test('counts are written once per task and period in which they changed', async (t) => {
  const item = 'Journal: counts by minute, samples of the queue'
  const samples = cents((2 * SECONDS * 0.625) / 10 / MILLION)
  t.equal(cents(billWith({})[item]), samples, 'a worker writes a sample every 10 s, also when it is idle')
  const stored = ((7 / (HOURS / 24)) * (SECONDS / 60) * 3 * 610 * (2 * 0.25 + 0.2)) / 1e9
  const busy = (2 * 3 * (SECONDS / 10) * 0.625) / MILLION
  t.equal(
    cents(billWith({}, 10 ** 8)[item]),
    cents(samples + busy + stored),
    'two web tasks and a worker write in every period'
  )
  const rare = added(1000, { minuteItemBytes: 1000, queueItemBytes: 1 })[item]
  t.equal(rare, cents((1000 * 2 * 2 * 0.625) / MILLION), 'two writes for an event, each in table and index')
})

t.test('the role activity costs its task, metrics, secrets and what viewers read', async (t) => {
  const plain = Object.fromEntries(activity().rows.map(([name, ...cells]) => [name, cells]))
  t.equal(plain['Tasks (Fargate)']![0], dollars(HOURS * (0.25 * 0.03238 + 0.5 * 0.00356)))
  t.equal(plain['Metrics, alarms, dashboards']![0], dollars(17 * 0.3 + 4 * 0.1))
  t.equal(plain['Secret, keys, images, access logs']![0], '0.40')
  const polls = (160 * 3600) / 0.5
  const readsOf = (events: number) => (polls * 0.5 * (16 + events) * 0.125) / MILLION
  const reads = plain['Journal: reads of the live page']!
  t.equal(reads[0], dollars(readsOf((VOLUMES[0]! / SECONDS) * 60)), '16 partitions in a poll, and new events')
  t.equal(reads.at(-1), dollars(readsOf(100)), 'at most 100 events in a poll')
  const gb = (10 * 160 * VOLUMES.at(-1)! * 2 * 650) / HOURS / 1e9
  t.equal(plain['Load balancer, its addresses, responses']!.at(-1), dollars(gb * (0.008 + 0.09)))
  const oidc = { issuer: 'https://a', authorizationEndpoint: 'https://a', tokenEndpoint: 'https://a' }
  const whole = {
    activity: true,
    activityReadTokens: true,
    activityOidc: { ...oidc, userInfoEndpoint: 'https://a', clientId: 'a' }
  }
  const secrets = ({ 'Secret, keys, images, access logs': usd }: Bill) => usd!
  t.equal(cents(secrets(billWith(whole)) - secrets(billWith({}))), 1.2, 'a secret for each of three settings')
})

t.test('a message over 64 KB costs more than one request', async (t) => {
  t.equal(added(MILLION, { messageBytes: 65 * 1024 })['Queue (SQS)'], 3)
})

t.test('a load balancer costs its most used dimension', async (t) => {
  const of = (notificationBytes: number) =>
    added(MILLION, { notificationBytes })['Load balancer, its addresses, responses']
  t.equal(of(1500), cents((MILLION / 90_000) * 0.008 + 0.3 * 0.09), 'new connections')
  t.equal(of(99_700), cents(100 * 0.008 + 0.3 * 0.09), 'bytes')
})

t.test('a setting changes only its own items', async (t) => {
  const before = billWith({}, MILLION)
  const changed = (changes: object) => {
    const after = billWith(changes, MILLION)
    return Object.fromEntries(
      Object.keys(before)
        .map((what) => [what, cents(after[what]! - before[what]!)] as const)
        .filter(([, usd]) => usd !== 0)
    )
  }
  t.same(changed({ natPerZone: true }), { 'NAT gateway, to Cloudinary': 36.5 })
  t.same(changed({ customerKey: true }), { 'Secret, keys, images, access logs': 2 })
  const throughNat = changed({ interfaceEndpoints: false })
  t.same(throughNat, { 'NAT gateway, to Cloudinary': cents(9 * 0.045), 'Private endpoints to AWS': -73.09 })
  t.same(Object.keys(changed({ architecture: 'x86_64' })), ['Tasks (Fargate)'])
  t.ok(changed({ architecture: 'x86_64' })['Tasks (Fargate)']! > 0)
  t.same(Object.keys(changed({ logLevel: 'warn' })), ['Logs (CloudWatch)'])
  t.ok(changed({ web: { minimumTasks: 3 } })['Tasks (Fargate)']! > 14)
  const id = (kind: string) => [1, 2].map((n) => `${kind}-0000000000000000${n}`)
  const vpc = {
    'us-east-1': {
      vpcId: 'vpc-00000000000000001',
      availabilityZones: ['us-east-1a', 'us-east-1b'],
      publicSubnetIds: id('subnet'),
      privateSubnetIds: id('subnet')
    }
  }
  t.same(changed({ vpc }), { 'NAT gateway, to Cloudinary': -36.5, 'Private endpoints to AWS': -73 })
})

t.test('takes the larger number of tasks by CPU time or by events in flight', async (t) => {
  const traffic = withTraffic({
    ownShare: 0.5,
    webCpuMs: 1,
    processedCpuMs: 4,
    ignoredCpuMs: 2,
    cpuTarget: 0.5,
    cloudinaryCalls: 2,
    cloudinaryMs: 250
  })
  // half a vCPU at half load is 250 ms a second; 50 in flight at half load are 25
  t.same(tasksFor(1000, DEFAULTS, traffic), { web: 4, worker: 12, workerByCpu: 12, workerByConcurrency: 10 })
  t.equal(tasksFor(1000, DEFAULTS, { ...traffic, cloudinaryMs: 1000 }).worker, 40)
  t.same(
    wholeTasks(tasksFor(1, DEFAULTS, traffic), DEFAULTS),
    { web: 2, worker: 1 },
    'no less than the minimum of the settings'
  )
  t.same(wholeTasks(tasksFor(1010, DEFAULTS, traffic), DEFAULTS), { web: 5, worker: 13 })
})

t.test('more events never cost less', async () => {
  const events = fc.integer({ min: 0, max: 10 ** 9 })
  fc.assert(
    fc.property(events, events, (some, more) => {
      const of = (count: number) => total(bill(count, DEFAULTS, DEFAULT_TRAFFIC))
      return of(Math.min(some, more)) <= of(Math.max(some, more)) + 1e-9
    })
  )
})

t.test('every input changes the result', async (t) => {
  const everything = (traffic: Traffic) =>
    JSON.stringify([
      [10 ** 6, 10 ** 9].map((events) => bill(events, Settings.parse({ activity: true }), traffic)),
      blueprintBill(10 ** 6, traffic),
      tasksFor(traffic.peakFactor, DEFAULTS, traffic)
    ])
  const before = everything(DEFAULT_TRAFFIC)
  // large factors, since some results are rounded up or follow their largest part
  for (const name of Object.keys(TRAFFIC) as InputName[]) {
    t.not(
      everything(withTraffic({ [name]: DEFAULT_TRAFFIC[name] * (name === 'ownShare' ? 1.5 : 100) })),
      before,
      name
    )
  }
})

t.test('a canary every five minutes costs a minute of a small task, metrics and alarms', async (t) => {
  const domain = { domainName: 'hooks.example.com', hostedZoneId: 'Z0123456789' }
  const before = billWith(domain, MILLION)
  const after = billWith({ ...domain, canaryEvery: 'rate(5 minutes)' }, MILLION)
  const usd = cents(total(after) - total(before))
  t.equal(usd, cents((HOURS / 5) * (0.25 * 0.03238 + 0.5 * 0.00356) + 3 * 0.3 + 4 * 0.1))
  t.match(readFileSync('docs/cost.md', 'utf8'), `\`canaryEvery=rate(5 minutes)\` adds $${usd.toFixed(2)}`)
})

t.test('the blueprint costs what API Gateway, Lambda and its log do', async (t) => {
  const parts = blueprintBill(
    MILLION,
    withTraffic({ blueprintMs: 1000, blueprintGb: 0.125, blueprintLogBytes: 4000 })
  )
  t.same(Object.fromEntries(Object.entries(parts).map(([what, usd]) => [what, cents(usd)])), {
    'API Gateway': 3.5,
    Lambda: cents(0.2 + 125_000 * 0.0000166667),
    'Logs (CloudWatch)': cents(4 * 0.5 + 4 * 0.15 * 0.03 * (90 / (HOURS / 24))),
    Secret: 0.4
  })
})

t.test('the tables show the computed values', async (t) => {
  const { head, rows } = costs()
  t.equal(head.length, VOLUMES.length + 1)
  for (const row of rows) t.equal(row.length, head.length)
  const row = (name: string) => rows.find(([what]) => what === name)!
  t.equal(row('**the listener, total**')[1], `**${dollars(total(billWith({}, VOLUMES[0])))}**`)
  t.equal(row('_tasks in the bill: `web` + `worker`_')[1], '2 + 1')
  for (const [name, ...saved] of savings().rows) {
    for (const cell of saved) t.match(cell, /^\d/, `${name} makes it more expensive`)
  }
  t.equal(inputs().rows.length, Object.keys(TRAFFIC).length)
  t.match(scale().rows[0], ['`web` tasks', '2'])
})

t.test('the savings use valid settings', async (t) => {
  for (const changes of [{ interfaceEndpoints: false }, { logLevel: 'warn' }]) {
    t.equal(readSettings(changes).outcome, 'valid')
  }
})

t.test('formats dollars with cents only below ten', async (t) => {
  t.same([0, 1.234, 9.994, 9.996, 1234.5].map(dollars), ['0.00', '1.23', '9.99', '10', '1,235'])
})

t.test('the command prints the tables of the documents', async (t) => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['dev/cost.ts', ...args], { encoding: 'utf8' }).stdout
  const printed = run()
  t.match(printed, PRICES_OF.date)
  t.match(printed, `| ${costs().rows[0]!.join(' | ')} |`)
  t.match(printed, `| ${scale().rows[0]!.join(' | ')} |`)
  t.match(run('--help'), /^Usage: npm run cost/)
})
