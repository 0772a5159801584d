import fc from 'fast-check'
import t from 'tap'
import { BodyBudget, SMALL_BODY_BYTES } from '../../../app/web/body-budget.ts'

const MIB = 2 ** 20

t.test('beyond its share a large body is refused, and a small one is let in', async (t) => {
  const budget = new BodyBudget({ small: MIB, large: 25 * MIB })
  const first = budget.reserve(10 * MIB)
  t.ok(budget.reserve(10 * MIB))
  t.equal(budget.reserve(10 * MIB), undefined)
  t.ok(budget.reserve(SMALL_BODY_BYTES))
  first?.()
  t.ok(budget.reserve(10 * MIB))
})

t.test('small bodies are refused beyond their share, even with nothing in them', async (t) => {
  const budget = new BodyBudget({ small: MIB, large: 25 * MIB })
  let reserved = 0
  while (budget.reserve(0)) reserved++
  t.ok(reserved > 0 && reserved < 1000)
  t.ok(budget.reserve(MIB))
})

t.test('a body larger than its share is let in while it is alone', async (t) => {
  const budget = new BodyBudget({ small: MIB, large: MIB })
  const release = budget.reserve(100 * MIB)
  t.ok(release)
  t.equal(budget.reserve(MIB), undefined)
  release?.()
  t.ok(budget.reserve(MIB))
})

t.test('whatever is reserved and released, no share is exceeded, and nothing stays reserved', async () => {
  const share = { small: 3 * SMALL_BODY_BYTES, large: 10 * MIB }
  const step = fc.record({
    bytes: fc.nat(4 * MIB),
    small: fc.boolean(),
    releases: fc.array(fc.nat(), { maxLength: 3 })
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const budget = new BodyBudget(share)
      const held: (() => void)[] = []
      for (const { bytes, small, releases } of steps) {
        const release = budget.reserve(small ? bytes % (SMALL_BODY_BYTES + 1) : bytes)
        if (release) held.push(release)
        // the same one may be released again and again
        for (const index of releases) held[index % held.length]?.()
        if (budget.used > share.small + share.large) return false
      }
      for (const release of held) release()
      return budget.used === 0
    })
  )
})
