import { consume } from '../consume.ts'
import { heavyTailed, messagesOf } from '../messages.ts'
import { type MeasuredProcess, startPeer, startRole } from '../processes.ts'
import type { QueuedMessage } from '../stand-ins/instructions.ts'
import { MEAN_WAIT_MS } from '../waiting-work.ts'
import type { Column, Context, Run, RunResult, Section } from './section.ts'

export const WAITING_CONFIG = './bench/roles/waiting.listener.config.ts'
const IN_FLIGHT = 50
/** Duration of an Upload API call from AWS to Cloudinary, in milliseconds. */
const CLOUDINARY_MS = 200
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

/** Consumers × messages per receive: 50 in flight each. */
const PEERS = [
  { name: '`sqs-consumer`, 5 × 10', queue: 'peer-each', args: ['5', '10', 'each'] },
  { name: '`sqs-consumer`, 5 × 10, in batches', queue: 'peer-batch', args: ['5', '10', 'batch'] },
  { name: '`sqs-consumer`, 50 × 1', queue: 'peer-single', args: ['50', '1', 'each'] }
]

async function open({ standIns, keep }: Context): Promise<Run> {
  standIns.delay('cloudinary', CLOUDINARY_MS)
  const heavy = heavyTailed()
  const uploads = messagesOf({ type: 'upload' })
  const own = messagesOf({ type: 'resource_tags_changed', own: true })
  const waiting = await keep(startRole('worker', standIns, { queue: 'waiting', config: WAITING_CONFIG }))
  const usual = await keep(startRole('worker', standIns, { queue: 'usual' }))
  const peers = await Promise.all(
    PEERS.map(async ({ name, ...options }) => ({
      name,
      queue: options.queue,
      consumer: await keep(startPeer('sqs-consumer', standIns, options))
    }))
  )

  return async (milliseconds) => {
    const run = (consumer: MeasuredProcess, queue: string, messages: QueuedMessage[]) =>
      consume([consumer], standIns, { queue, messages, milliseconds })
    const heavyTail: RunResult = {}
    for (const { name, queue, consumer } of peers) heavyTail[name] = await run(consumer, queue, heavy)
    heavyTail['`worker`, with journal'] = await run(waiting, 'waiting', heavy)
    const [peer] = Object.values(heavyTail)
    for (const figures of Object.values(heavyTail)) {
      figures.ofIdeal = (figures.perSecond! / IDEAL_PER_SECOND) * 100
      figures.cpuRatio = figures.cpuUs! / peer!.cpuUs!
    }
    return {
      'ideal: 50 in flight, no overhead': { perSecond: IDEAL_PER_SECOND },
      ...heavyTail,
      [`\`worker\`: uploads, 2 processors, 3 calls of ${CLOUDINARY_MS} ms`]: await run(
        usual,
        'usual',
        uploads
      ),
      '`worker`: own changes, ignored': await run(usual, 'usual', own)
    }
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
