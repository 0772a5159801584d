import { defineProcessor } from '../app/listener.ts'

/** Describe in one sentence what the processor does, and how many calls it costs. */
export const manyTypes = () =>
  defineProcessor({
    name: 'many-types',
    on: [
      'upload',
      'resource_tags_changed',
      'resource_metadata_changed',
      'create_folder',
      'report',
      'unknown',
      'eager'
    ],
    async handle(event) {
      // your editor completes `event.payload`; docs/events/README.md describes it
      return `received ${event.type}`
    }
  })
