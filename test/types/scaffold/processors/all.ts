import { defineProcessor } from '../app/listener.ts'

/** Says in a sentence what it does, and what it costs in calls. */
export const all = () =>
  defineProcessor({
    name: 'all',
    on: ['*'],
    async handle(event) {
      // your editor completes `event.payload`; docs/events/README.md describes it
      return `received ${event.type}`
    }
  })
