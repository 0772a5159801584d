import { z } from 'zod'
import type { Processor } from '../processor.ts'
import { byCurrentName } from './current-name.ts'
import { checkOptions, hasTag, TAG } from './processor-options.ts'

const Options = z.strictObject({
  name: z.string().default('hello-world-tag'),
  tag: TAG.default('Hello World!')
})

/** @see helloWorldTag */
export type HelloWorldTagOptions = z.input<typeof Options>

/**
 * Adds a tag to every upload that does not have it yet. Costs one call of the Upload API per upload.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function helloWorldTag(options: HelloWorldTagOptions = {}): Processor {
  const { name, tag } = checkOptions('helloWorldTag', Options, options)
  return {
    name,
    on: ['upload'],
    async handle({ asset, payload }, { cloudinary }) {
      if (asset === null) return 'skipped: the notification names no asset'
      if (hasTag(payload, tag)) return `skipped: already tagged "${tag}"`
      return byCurrentName(cloudinary, asset, async (named) => {
        await cloudinary.addTag(named, tag)
        return `tagged "${tag}"`
      })
    }
  }
}
