import { Settings } from '../../infra/settings.ts'
import { type Bill, bill, blueprintBill, total } from './bill.ts'
import { SECONDS } from './month.ts'
import { PRICES, type Price, sourceOf } from './prices.ts'
import { tasksFor, wholeTasks } from './task-count.ts'
import { DEFAULT_TRAFFIC, TRAFFIC } from './traffic.ts'

/** A table of a document, before it is formatted. */
export interface Cells {
  head: readonly string[]
  rows: readonly (readonly string[])[]
}

/** Events a month. */
export const VOLUMES = [10_000, 1e6, 10e6, 100e6]

/** Events a second. */
const RATES = [10, 100, 1000, 10_000]

const SMALL = { size: { cpu: 256, memoryMiB: 512 } }
const SHARED_VPC = {
  'us-east-1': {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['us-east-1a', 'us-east-1b'],
    publicSubnetIds: ['subnet-00000000000000001', 'subnet-00000000000000002'],
    privateSubnetIds: ['subnet-00000000000000003', 'subnet-00000000000000004']
  }
}

/** Settings that lower the bill, by their name in the table. */
const SAVINGS: Record<string, object> = {
  '1. `vpc`: a VPC that already has a NAT gateway and endpoints': { vpc: SHARED_VPC },
  '1. or `interfaceEndpoints=false`: calls to AWS through the NAT gateway': { interfaceEndpoints: false },
  '2. `web` and `worker` of 0.25 vCPU and 0.5 GB': { web: SMALL, worker: SMALL },
  '3. `logLevel=warn`: no log line for a successful event': { logLevel: 'warn' },
  'all three, with the VPC': { vpc: SHARED_VPC, web: SMALL, worker: SMALL, logLevel: 'warn' }
}

const DEFAULTS = Settings.parse({})

const number = (value: number): string => value.toLocaleString('en-US')

/** Formats whole dollars, and cents below ten. */
export const dollars = (usd: number): string => (usd < 9.995 ? usd.toFixed(2) : number(Math.round(usd)))

const tasksAt = (rate: number) => tasksFor(rate, DEFAULTS, DEFAULT_TRAFFIC)
const wholeTasksAt = (rate: number) => wholeTasks(tasksAt(rate), DEFAULTS)

/** Returns the cost of the listener and of the blueprint at each volume. */
export function costs(): Cells {
  const bills = VOLUMES.map((events) => bill(events, DEFAULTS, DEFAULT_TRAFFIC))
  const blueprints = VOLUMES.map((events) => blueprintBill(events, DEFAULT_TRAFFIC))
  const tasks = (factor: number) =>
    VOLUMES.map((events) => wholeTasksAt((events / SECONDS) * factor)).map(
      ({ web, worker }) => `${web} + ${worker}`
    )
  const { peakFactor } = DEFAULT_TRAFFIC
  return {
    head: ['US dollars a month, for events a month', ...VOLUMES.map(number)],
    rows: [
      ...items(bills),
      ['**the listener, total**', ...bills.map((each) => `**${dollars(total(each))}**`)],
      ['per million events', ...bills.map((each, index) => dollars((total(each) * 1e6) / VOLUMES[index]!))],
      ...items(blueprints).map(([name, ...cells]) => [`_blueprint:_ ${name}`, ...cells]),
      ['**the blueprint, total**', ...blueprints.map((each) => `**${dollars(total(each))}**`)],
      ['_events a second on average_', ...VOLUMES.map((events) => (events / SECONDS).toPrecision(2))],
      ['_tasks in the bill: `web` + `worker`_', ...tasks(1)],
      [`_tasks at ${peakFactor} times the average_`, ...tasks(peakFactor)]
    ]
  }
}

const items = (bills: readonly Bill[]) =>
  Object.keys(bills[0]!).map((name) => [name, ...bills.map((each) => dollars(each[name]!))])

/** Returns what each change of settings saves at each volume. */
export function savings(): Cells {
  const totals = (settings: Settings) =>
    VOLUMES.map((events) => total(bill(events, settings, DEFAULT_TRAFFIC)))
  const before = totals(DEFAULTS)
  return {
    head: ['US dollars saved a month', ...VOLUMES.map(number)],
    rows: Object.entries(SAVINGS).map(([name, changes]) => [
      name,
      ...totals(Settings.parse(changes)).map((after, index) => dollars(before[index]! - after))
    ])
  }
}

/** Returns what the role `activity` adds at each volume, by item. */
export function activity(): Cells {
  const added = VOLUMES.map((events) => {
    const [before, after] = [{}, { activity: true }].map((changes) =>
      bill(events, Settings.parse(changes), DEFAULT_TRAFFIC)
    )
    return Object.fromEntries(Object.entries(after!).map(([name, usd]) => [name, usd - (before![name] ?? 0)]))
  })
  return {
    head: ['US dollars added a month', ...VOLUMES.map(number)],
    rows: [
      ...items(added).filter((_, index) => added.some((each) => Object.values(each)[index]! > 0)),
      ['**`activity`, total**', ...added.map((each) => `**${dollars(total(each))}**`)]
    ]
  }
}

export function inputs(): Cells {
  return {
    head: ['input', 'value', 'reason'],
    rows: Object.entries(TRAFFIC).map(([name, [value, unit, reason]]) => [
      `\`${name}\``,
      `${number(value)} ${unit}`,
      reason
    ])
  }
}

export function prices(): Cells {
  const link = (url: string) => `[${new URL(url).hostname.replace(/^www\./, '')}](${url})`
  return {
    head: ['US dollars', 'for a', 'AWS', 'checked against'],
    rows: Object.values<Price>(PRICES).map((price) => {
      const [usd, unit, source, checked] = price
      const page = `[${source.split('/')[1]}](${sourceOf(price)})`
      return [String(usd), unit, page, checked ? link(checked) : '**not checked**']
    })
  }
}

/** Returns the tasks that a rate takes, and its load on SQS and DynamoDB. */
export function scale(): Cells {
  const { ownShare, cloudinaryCalls, cloudinaryMs, processors } = DEFAULT_TRAFFIC
  const units = (bytes: number) => Math.ceil(bytes / 1024)
  const calls = (rate: number) => rate * (1 - ownShare) * cloudinaryCalls
  const processed = (rate: number) => rate * (1 - ownShare) * (1 + processors)
  const tableUnits = (rate: number) =>
    processed(rate) * units(DEFAULT_TRAFFIC.processedItemBytes) +
    rate * ownShare * units(DEFAULT_TRAFFIC.ignoredItemBytes)
  const rows: Record<string, (rate: number) => number> = {
    '`web` tasks': (rate) => wholeTasksAt(rate).web,
    '`worker` tasks': (rate) => wholeTasksAt(rate).worker,
    '… by CPU': (rate) => Math.ceil(tasksAt(rate).workerByCpu),
    '… by events in flight': (rate) => Math.ceil(tasksAt(rate).workerByConcurrency),
    'events in flight': (rate) => (calls(rate) * cloudinaryMs) / 1000,
    'Upload API calls a second': calls,
    'SQS requests of each kind a second, one event each': (rate) => rate,
    '… ten events each': (rate) => rate / 10,
    'table write units a second': tableUnits,
    'writes a second to each of the 16 index partitions of a day': (rate) =>
      (processed(rate) + rate * ownShare) / 16
  }
  return {
    head: ['events a second', ...RATES.map(number)],
    rows: Object.entries(rows).map(([name, of]) => [
      name,
      ...RATES.map((rate) => number(Math.round(of(rate))))
    ])
  }
}
