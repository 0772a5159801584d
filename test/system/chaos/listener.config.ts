import { defineListener, helloWorldTag, lastUpdateTimestamp, PermanentError } from '../../../app/listener.ts'

/** URL of the test's order log. */
const LOG_URL = process.env.CHAOS_LOG_URL ?? ''

export default defineListener({
  processors: [
    helloWorldTag(),
    lastUpdateTimestamp({ watch: ['cms_id'] }),
    {
      name: 'order-log',
      on: ['upload', 'resource_metadata_changed'],
      async handle({ id, type, asset }, { signal }) {
        if (type === 'upload' && asset?.publicId?.startsWith('unacceptable')) {
          throw new PermanentError('this asset is never accepted')
        }
        const answer = await fetch(LOG_URL, { method: 'POST', body: id, signal })
        if (!answer.ok) throw new Error(`the order log answered ${answer.status}`)
      }
    }
  ]
})
