import { defineProcessor } from '../app/listener.ts'

/** Describe in one sentence what the processor does, and how many calls it costs. */
export const all = () =>
  defineProcessor({
    name: 'all',
    on: ['*'],
    async handle(event) {
      // your editor completes `event.payload`; docs/events/README.md describes it
      return `received ${event.type}`
    }
  })
