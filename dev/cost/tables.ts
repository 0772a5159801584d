import { Settings } from '../../infra/settings.ts'
import { type Bill, bill, SECONDS, total } from './bill.ts'
import { blueprintBill } from './blueprint.ts'
import { PRICES, type Price } from './prices.ts'
import { tasksFor, wholeTasks } from './tasks.ts'
import { DEFAULT_TRAFFIC, TRAFFIC } from './traffic.ts'

/** A table of a document, before it is written in Markdown. */
export interface Cells {
  head: readonly string[]
  rows: readonly (readonly string[])[]
}

/** Events a month that the bill is made for. */
export const VOLUMES = [10_000, 1e6, 10e6, 100e6]

/** Events a second that the tasks are counted for. */
export const RATES = [10, 100, 1000, 10_000]

const SMALL = { size: { cpu: 256, memoryMiB: 512 } }
const SHARED_VPC = {
  'us-east-1': {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['us-east-1a', 'us-east-1b'],
    publicSubnetIds: ['subnet-00000000000000001', 'subnet-00000000000000002'],
    privateSubnetIds: ['subnet-00000000000000003', 'subnet-00000000000000004']
  }
}

/** Settings that make it cheaper, by what they are called in the table. */
const LEVERS: Record<string, object> = {
  '1. `vpc`: in a VPC that has its NAT gateway and endpoints already': { vpc: SHARED_VPC },
  '1. or `interfaceEndpoints=false`: calls to AWS through the NAT gateway': { interfaceEndpoints: false },
  '2. `web` and `worker` of 0.25 vCPU and 0.5 GB': { web: SMALL, worker: SMALL },
  '3. `logLevel=warn`: no line for what went well': { logLevel: 'warn' },
  'all three, with the VPC': { vpc: SHARED_VPC, web: SMALL, worker: SMALL, logLevel: 'warn' }
}

const settingsWith = (changes: object) => Settings.parse(changes)

export const number = (value: number): string => value.toLocaleString('en-US')

/** Whole dollars, and cents below ten. */
export const dollars = (usd: number): string => (usd < 9.995 ? usd.toFixed(2) : number(Math.round(usd)))

/** What the listener and the blueprint cost at each volume, by what it is for. */
export function costs(): Cells {
  const settings = settingsWith({})
  const bills = VOLUMES.map((events) => bill(events, settings, DEFAULT_TRAFFIC))
  const blueprints = VOLUMES.map((events) => blueprintBill(events, DEFAULT_TRAFFIC))
  return {
    head: ['US dollars a month, for events a month', ...VOLUMES.map(number)],
    rows: [
      ...lines(bills),
      ['**the listener, in all**', ...bills.map((each) => `**${dollars(total(each))}**`)],
      ['for a million events', ...bills.map((each, index) => dollars((total(each) * 1e6) / VOLUMES[index]!))],
      ...lines(blueprints).map(([what, ...cells]) => [`_blueprint:_ ${what}`, ...cells]),
      ['**the blueprint, in all**', ...blueprints.map((each) => `**${dollars(total(each))}**`)],
      ['_events a second on average_', ...VOLUMES.map((events) => (events / SECONDS).toPrecision(2))],
      ['_tasks paid for: `web` + `worker`_', ...VOLUMES.map((events) => tasks(events / SECONDS, settings))],
      [
        `_tasks at ${DEFAULT_TRAFFIC.peakFactor} times the average_`,
        ...VOLUMES.map((events) => tasks((events / SECONDS) * DEFAULT_TRAFFIC.peakFactor, settings))
      ]
    ]
  }
}

const lines = (bills: readonly Bill[]) =>
  Object.keys(bills[0]!).map((what) => [what, ...bills.map((each) => dollars(each[what]!))])

function tasks(eventsPerSecond: number, settings: Settings): string {
  const { web, worker } = wholeTasks(tasksFor(eventsPerSecond, settings, DEFAULT_TRAFFIC), settings)
  return `${web} + ${worker}`
}

/** What each lever saves at each volume. */
export function levers(): Cells {
  const totals = (settings: Settings) =>
    VOLUMES.map((events) => total(bill(events, settings, DEFAULT_TRAFFIC)))
  const before = totals(settingsWith({}))
  return {
    head: ['US dollars a month less', ...VOLUMES.map(number)],
    rows: Object.entries(LEVERS).map(([name, changes]) => [
      name,
      ...totals(settingsWith(changes)).map((after, index) => dollars(before[index]! - after))
    ])
  }
}

/** What the computing starts from. */
export function inputs(): Cells {
  return {
    head: ['input', 'value', 'why'],
    rows: Object.entries(TRAFFIC).map(([name, { value, unit, reason }]) => [
      `\`${name}\``,
      `${number(value)} ${unit}`,
      reason
    ])
  }
}

/** What things cost, and how that is known. */
export function prices(): Cells {
  return {
    head: ['US dollars', 'for a', 'by AWS', 'checked against'],
    rows: Object.values(PRICES).map(({ usd, of, source, checked }: Price) => [
      String(usd),
      of,
      `[${new URL(source).pathname.split('/')[1]}](${source})`,
      checked ? `[${new URL(checked).hostname.replace(/^www\./, '')}](${checked})` : '**not checked**'
    ])
  }
}

/** How many tasks a rate takes, and what each asks of SQS and DynamoDB. */
export function scale(): Cells {
  const settings = settingsWith({})
  return {
    head: ['events a second', ...RATES.map(number)],
    rows: [
      [
        '`web` tasks',
        ...perRate((rate) => wholeTasks(tasksFor(rate, settings, DEFAULT_TRAFFIC), settings).web)
      ],
      [
        '`worker` tasks',
        ...perRate((rate) => wholeTasks(tasksFor(rate, settings, DEFAULT_TRAFFIC), settings).worker)
      ],
      ['… by CPU', ...perRate((rate) => Math.ceil(tasksFor(rate, settings, DEFAULT_TRAFFIC).workerByCpu))],
      [
        '… by events in flight',
        ...perRate((rate) => Math.ceil(tasksFor(rate, settings, DEFAULT_TRAFFIC).workerByConcurrency))
      ],
      ['events in flight', ...perRate(inFlight)],
      [
        'calls to the Upload API, a second',
        ...perRate((rate) => rate * foreign * DEFAULT_TRAFFIC.cloudinaryCalls)
      ],
      ['requests of each kind to SQS, a second: one event in each', ...perRate((rate) => rate)],
      ['… ten events in each', ...perRate((rate) => rate / 10)],
      ['write units of the table, a second', ...perRate(tableUnits)],
      ['writes to each of the 16 index partitions of the day, a second', ...perRate(indexWrites)]
    ]
  }
}

const foreign = 1 - DEFAULT_TRAFFIC.ownShare

const perRate = (of: (rate: number) => number) => RATES.map((rate) => number(Math.round(of(rate))))

const inFlight = (rate: number) =>
  (rate * foreign * DEFAULT_TRAFFIC.cloudinaryCalls * DEFAULT_TRAFFIC.cloudinaryMs) / 1000

const writes = (rate: number) => ({
  processed: rate * foreign * (1 + DEFAULT_TRAFFIC.processors),
  ignored: rate * DEFAULT_TRAFFIC.ownShare
})

function tableUnits(rate: number): number {
  const { processed, ignored } = writes(rate)
  const units = (bytes: number) => Math.ceil(bytes / 1024)
  return (
    processed * units(DEFAULT_TRAFFIC.processedItemBytes) + ignored * units(DEFAULT_TRAFFIC.ignoredItemBytes)
  )
}

function indexWrites(rate: number): number {
  const { processed, ignored } = writes(rate)
  return (processed + ignored) / 16
}
