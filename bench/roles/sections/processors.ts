import { consume } from '../consume.ts'
import { messagesOf } from '../messages.ts'
import { SHARED_QUEUE, startRole } from '../processes.ts'
import type { Context, Run, Section } from './section.ts'
import { CONSUMER_COLUMNS } from './worker.ts'

/** Duration of an Upload API call from AWS to Cloudinary, in milliseconds. */
const CLOUDINARY_MS = 200

async function open({ standIns, keep }: Context): Promise<Run> {
  standIns.delay('cloudinary', CLOUDINARY_MS)
  const uploads = messagesOf({ type: 'upload' })
  const ownChanges = messagesOf({ type: 'resource_tags_changed', own: true })
  const worker = await keep(startRole('worker', standIns))

  return async (milliseconds) => {
    const run = (messages: typeof uploads) =>
      consume([worker], standIns, { queue: SHARED_QUEUE, messages, milliseconds })
    return {
      [`uploads, 2 processors, 3 calls of ${CLOUDINARY_MS} ms`]: await run(uploads),
      'own changes, ignored': await run(ownChanges)
    }
  }
}

/** `worker` with the processors of listener.config.ts. */
export const processors: Section = {
  name: 'processors',
  cases: 'events',
  columns: CONSUMER_COLUMNS,
  open
}
