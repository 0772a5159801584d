import t from 'tap'
import { createLimits } from '../../../app/web/web-limits.ts'

const MIB = 2 ** 20

t.test(
  'the default task receives 25 bodies of 10 MiB, stores three, and holds 2,048 connections',
  async (t) => {
    // V8 limits its heap to 560 MiB with 1 GiB of memory
    const limits = createLimits(1024 * MIB, 560 * MIB)
    const reservable = (budget: typeof limits.reading, bytes: number) => {
      let reserved = 0
      while (budget.reserve(bytes)) reserved++
      return reserved
    }
    t.equal(reservable(limits.reading, 10 * MIB), 25)
    t.equal(reservable(limits.storing, 10 * MIB), 3)
    t.equal(reservable(limits.reading, 64 * 1024), 1820)
    t.equal(reservable(limits.storing, 2 * 1024), 3584)
    t.equal(limits.connections, 2048)
  }
)

t.test('derives the limits from the memory', async (t) => {
  t.ok(createLimits().connections > 0)
  t.ok(createLimits().reading.reserve(MIB))
})
