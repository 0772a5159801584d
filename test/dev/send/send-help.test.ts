import { test } from 'tap'
import { SAMPLE_NAMES } from '../../../app/testing/samples.ts'
import { HELP, listing } from '../../../dev/send/send-help.ts'
import { readCommand } from '../../../dev/send/send-options.ts'

test('every flag in the help is accepted', async (t) => {
  const flags = new Set(HELP.match(/(?<=\s)--[a-z][a-z0-9-]+/g))
  t.ok(flags.size >= 19)
  for (const flag of flags) {
    t.notMatch(readCommand([flag, '1'], {}), { message: /Unknown option/ }, flag)
  }
})

test('lists every type and variant', async (t) => {
  for (const { type, variants } of SAMPLE_NAMES) {
    t.match(listing(), new RegExp(`^  ${type} +[ *] ${variants.join(', ')}$`, 'm'))
  }
  t.match(listing(), /^ {2}delete +\*/m)
})
