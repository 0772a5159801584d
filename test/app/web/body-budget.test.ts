import fc from 'fast-check'
import t from 'tap'
import { BodyBudget, SMALL_BODY_BYTES } from '../../../app/web/body-budget.ts'

const MIB = 2 ** 20

t.test('refuses a large body beyond its share and admits a small one', async (t) => {
  const budget = new BodyBudget({ small: MIB, large: 25 * MIB })
  const first = budget.reserve(10 * MIB)
  t.ok(budget.reserve(10 * MIB))
  t.equal(budget.reserve(10 * MIB), undefined)
  t.ok(budget.reserve(SMALL_BODY_BYTES))
  first?.()
  t.ok(budget.reserve(10 * MIB))
})

t.test('refuses small and empty bodies beyond their share', async (t) => {
  const budget = new BodyBudget({ small: MIB, large: 25 * MIB })
  let reserved = 0
  while (budget.reserve(0)) reserved++
  t.ok(reserved > 0 && reserved < 1000)
  t.ok(budget.reserve(MIB))
})

t.test('admits a body larger than its share if it is the only one', async (t) => {
  const budget = new BodyBudget({ small: MIB, large: MIB })
  const release = budget.reserve(100 * MIB)
  t.ok(release)
  t.equal(budget.reserve(MIB), undefined)
  release?.()
  t.ok(budget.reserve(MIB))
})

t.test('never exceeds a share, and releases everything', async () => {
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
        // a reservation may be released more than once
        for (const index of releases) held[index % held.length]?.()
        if (budget.used > share.small + share.large) return false
      }
      for (const release of held) release()
      return budget.used === 0
    })
  )
})
