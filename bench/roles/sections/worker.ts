import { consume } from '../consume.ts'
import { heavyTailed } from '../messages.ts'
import { type MeasuredProcess, startPeer, startRole } from '../processes.ts'
import { MEAN_WAIT_MS } from '../waiting-work.ts'
import type { Column, Context, Run, RunResult, Section } from './section.ts'

export const WAITING_CONFIG = './bench/roles/waiting.listener.config.ts'
const IN_FLIGHT = 50
const IDEAL_PER_SECOND = (IN_FLIGHT * 1000) / MEAN_WAIT_MS

export const CONSUMER_COLUMNS: readonly Column[] = [
  { figure: 'perSecond', heading: 'events/s', range: true },
  { figure: 'cpuUs', heading: 'CPU, µs per event', range: true },
  { figure: 'cores', heading: 'cores', digits: 2 },
  { figure: 'sqsCalls', heading: 'SQS calls per event', digits: 2 },
  { figure: 'journalCalls', heading: 'DynamoDB calls per event', digits: 2 },
  { figure: 'memoryMb', heading: 'RSS, MB' },
  { figure: 'standInCores', heading: 'cores of the stand-ins', digits: 2 }
]

/** Consumers × messages per receive: 50 in flight each. Each peer has a queue of its own. */
const PEERS = [
  { name: '`sqs-consumer`, 5 × 10', queue: 'peer-each', args: ['5', '10', 'each'] },
  { name: '`sqs-consumer`, 5 × 10, in batches', queue: 'peer-batch', args: ['5', '10', 'batch'] },
  { name: '`sqs-consumer`, 50 × 1', queue: 'peer-single', args: ['50', '1', 'each'] }
]
const WORKER = { name: '`worker`, with journal', queue: 'worker', config: WAITING_CONFIG }

async function open({ standIns, keep }: Context): Promise<Run> {
  const messages = heavyTailed()
  const consumers: { name: string; queue: string; consumer: MeasuredProcess }[] = []
  for (const { name, queue, args } of PEERS) {
    consumers.push({
      name,
      queue,
      consumer: await keep(startPeer('sqs-consumer', standIns, { args, queue }))
    })
  }
  consumers.push({ ...WORKER, consumer: await keep(startRole('worker', standIns, WORKER)) })

  return async (milliseconds) => {
    const results: RunResult = {}
    for (const { name, queue, consumer } of consumers) {
      results[name] = await consume([consumer], standIns, { queue, messages, milliseconds })
    }
    const [peer] = Object.values(results)
    for (const figures of Object.values(results)) {
      figures.ofIdeal = (figures.perSecond! / IDEAL_PER_SECOND) * 100
      figures.cpuRatio = figures.cpuUs! / peer!.cpuUs!
    }
    return { 'ideal: 50 in flight, no overhead': { perSecond: IDEAL_PER_SECOND }, ...results }
  }
}

/** `worker` beside `sqs-consumer`. */
export const worker: Section = {
  name: 'worker',
  cases: 'consumer',
  columns: [
    ...CONSUMER_COLUMNS,
    { figure: 'ofIdeal', heading: '% of the ideal' },
    { figure: 'cpuRatio', heading: 'CPU, × `sqs-consumer`, 5 × 10', digits: 2 }
  ],
  plots: [
    { kind: 'bars', title: 'Events per second', figure: 'perSecond', emphasis: '`worker`' },
    { kind: 'bars', title: 'CPU per event, µs', figure: 'cpuUs', emphasis: '`worker`' }
  ],
  open
}
