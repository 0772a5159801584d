import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultKind } from '../../../dev/cloudinary/faults.ts'
import { QUEUE_NAME } from '../../../dev/embedded-sqs.ts'
import type { FaultProxy, ProxyFault } from '../../support/fault-proxy.ts'
import type { Chaos, Scenario } from './scenario.ts'

/** Low, so that most of the load is left for other workers after a kill. */
const CONCURRENCY_WHEN_KILLED = 10

/**
 * Maximum time between kills, in milliseconds: killed workers may hold all events, so nothing makes progress.
 */
const KILL_AFTER_MS = 3000

async function fails(proxy: FaultProxy, fault: ProxyFault, milliseconds: number): Promise<void> {
  await proxy.set(fault)
  await sleep(milliseconds)
  await proxy.set({ kind: 'pass' })
}

/** Injects a fault into Cloudinary's API once a quarter of the load is acknowledged. */
function cloudinaryFails(fault: FaultKind, milliseconds: number): Scenario['inject'] {
  return async ({ cloudinary, load }) => {
    await load.reached(0.25)
    cloudinary.faults.add(fault)
    await sleep(milliseconds)
    cloudinary.faults.clear()
  }
}

/** Kills workers in turn, each when a fraction (0 to 1) of the events is processed. */
export function workerKilled(parts: readonly number[]): Scenario {
  return {
    fault: `worker killed (SIGKILL), ${times(parts)}`,
    concurrency: CONCURRENCY_WHEN_KILLED,
    duplicatesAllowed: parts.length * CONCURRENCY_WHEN_KILLED,
    async inject({ workers, processed, signal }) {
      for (const [index, part] of parts.entries()) {
        await Promise.race([processed(part), sleep(KILL_AFTER_MS)])
        await signal('worker', workers[index % workers.length]!, 'SIGKILL')
      }
    }
  }
}

/** Kills web each time a fraction (0 to 1) of the events is acknowledged. */
export function webKilled(parts: readonly number[]): Scenario {
  return {
    fault: `web killed (SIGKILL), ${times(parts)}`,
    async inject({ web, load, signal }) {
      for (const part of parts) {
        await load.reached(part)
        await signal('web', web, 'SIGKILL')
      }
    }
  }
}

const times = ({ length }: readonly number[]) => (length === 1 ? 'once' : `${length} times`)

export const SCENARIOS = {
  none: { fault: 'none', withoutDelay: true },

  workerKilled: workerKilled([0.1, 0.25, 0.4, 0.55]),

  webKilled: webKilled([0.15, 0.4, 0.65]),

  sqsRefusing: {
    fault: 'SQS refuses connections for 3 s, then answers 500 for 2 s',
    async inject({ sqs, load }) {
      await load.reached(0.2)
      await fails(sqs, { kind: 'refuse' }, 3000)
      await load.reached(0.5)
      await fails(sqs, { kind: 'error', status: 500 }, 2000)
    }
  },

  sqsSlow: {
    fault: 'SQS answers after 1 s for 5 s, then stores after web has timed out',
    async inject({ sqs, load }) {
      await load.reached(0.2)
      await fails(sqs, { kind: 'slow', ms: 1000 }, 5000)
      await load.reached(0.5)
      await fails(sqs, { kind: 'slow', ms: 3000, only: ['SendMessageBatch'] }, 10_000)
    }
  },

  dynamoDbRefusing: {
    fault: 'DynamoDB refuses connections for 4 s, then answers 500 for 2 s',
    async inject({ dynamoDb, processed }) {
      await processed(0.2)
      await fails(dynamoDb, { kind: 'refuse' }, 4000)
      await processed(0.5)
      await fails(dynamoDb, { kind: 'error', status: 500 }, 2000)
    }
  },

  cloudinaryFailing: {
    fault: 'Cloudinary answers 503 for 8 s',
    inject: cloudinaryFails({ kind: 'status', status: 503 }, 8000)
  },

  cloudinaryLimiting: {
    fault: 'Cloudinary answers 420, "Try again on …" 4 s ahead',
    inject: async (chaos) =>
      cloudinaryFails({ kind: 'rate_limit', status: 420, until: new Date(Date.now() + 5000) }, 4000)?.(chaos)
  },

  cloudinaryHanging: {
    fault: 'Cloudinary does not answer for 3 s',
    inject: cloudinaryFails({ kind: 'hang' }, 3000)
  },

  cloudinaryResetting: {
    fault: 'Cloudinary resets connections for 5 s',
    inject: cloudinaryFails({ kind: 'reset' }, 5000)
  },

  deliveredThrice: {
    fault: 'every notification delivered three times',
    events: 1000,
    load: { deliveries: 3 },
    forgets: true
  },

  poison: {
    fault: 'poison messages among good ones',
    load: { further: ['unacceptable'], uploadedOnly: ['gone', 'refused'] },
    deadLetters: [
      'gone hello-world-tag CLOUDINARY_NOT_FOUND',
      'gone last-update-timestamp CLOUDINARY_NOT_FOUND',
      'refused hello-world-tag CLOUDINARY_REJECTED',
      'refused last-update-timestamp CLOUDINARY_REJECTED',
      'unacceptable order-log PERMANENT',
      'undefined undefined MESSAGE_UNREADABLE'
    ],
    withoutDelay: true,
    async inject({ cloudinary, queue }: Chaos) {
      cloudinary.faults.add({ kind: 'status', status: 404, publicId: 'gone' })
      cloudinary.faults.add({ kind: 'status', status: 400, publicId: 'refused' })
      queue.server.sendMessage(QUEUE_NAME, 'not from this listener', {
        messageGroupId: 'foreign',
        messageDeduplicationId: 'foreign'
      })
    }
  },

  onePoison: {
    fault: 'one poison message in a thousand',
    events: 1000,
    load: { further: ['unacceptable'] },
    deadLetters: ['unacceptable order-log PERMANENT'],
    withoutDelay: true
  },

  terminated: {
    fault: 'SIGTERM to worker, web and worker',
    async inject({ web, workers, load, processed, signal }) {
      await processed(0.15)
      await signal('worker', workers[0]!, 'SIGTERM')
      await load.reached(0.5)
      await signal('web', web, 'SIGTERM')
      await processed(0.6)
      await signal('worker', workers[1]!, 'SIGTERM')
    }
  },

  cloudinaryDown: {
    fault: 'Cloudinary down for two minutes',
    long: true,
    inject: cloudinaryFails({ kind: 'status', status: 503 }, 120_000),
    withinSeconds: 300
  },

  dynamoDbLate: {
    fault: 'DynamoDB writes, and answers too late, for 90 s',
    long: true,
    async inject({ dynamoDb, load }) {
      await load.reached(0.2)
      await fails(dynamoDb, { kind: 'slow', ms: 4000 }, 90_000)
    },
    withinSeconds: 300
  }
} satisfies Record<string, Scenario>
