import { setTimeout as pause } from 'node:timers/promises'
import { defineListener } from '../../app/listener.ts'
import { waitOf } from './waiting-work.ts'

/** A processor that waits as long as the public id says, and calls nothing. */
export default defineListener({
  processors: [
    {
      name: 'waiting',
      on: ['*'],
      async handle({ asset }) {
        const waitMs = waitOf(asset?.publicId)
        if (waitMs > 0) await pause(waitMs)
      }
    }
  ]
})
