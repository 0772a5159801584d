import { z } from 'zod'
import type { Processor } from '../processor.ts'
import { byCurrentName } from './current-name.ts'
import { checkOptions, TAG } from './processor-options.ts'

const Options = z.strictObject({
  name: z.string().default('hello-world-tag'),
  tag: TAG.default('Hello World!')
})

/** @see helloWorldTag */
export type HelloWorldTagOptions = z.input<typeof Options>

/**
 * Tags every upload. It adds the tag to those that are there, and does nothing when it is there already.
 * Costs one call of the Upload API for an upload.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function helloWorldTag(options: HelloWorldTagOptions = {}): Processor {
  const { name, tag } = checkOptions('helloWorldTag', Options, options)
  return {
    name,
    on: ['upload'],
    async handle({ asset, payload }, { cloudinary }) {
      if (asset === null) return 'skipped: the upload names no asset'
      if (Array.isArray(payload.tags) && payload.tags.includes(tag)) return `skipped: tagged "${tag}" already`
      return byCurrentName(cloudinary, asset, async (named) => {
        await cloudinary.addTag(named, tag)
        return `tagged "${tag}"`
      })
    }
  }
}
