import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import t from 'tap'
import { collectGarbage } from '../support/collect-garbage.ts'
import { overfull, trackCollections } from './collections.ts'
import { MUTANTS } from './mutants.ts'
import { fileOf } from './mutate.ts'
import { planOf } from './plan.ts'
import { Scheduler, SimulatedProcess } from './scheduler.ts'
import { simulate } from './simulation.ts'
import { storedSeeds } from './stored-seeds.ts'

/** The same on each run, so that a failure comes from a change. CI and the nightly workflow run fresh seeds. */
const FIRST_SEED = 4
const STEPS = 8000

t.test('every guarantee holds for the stored seeds', async (t) => {
  const ended: WeakRef<object>[] = []
  for (const { file, plan } of storedSeeds()) {
    const { violation, faults } = await simulate(plan)
    t.equal(violation?.message, undefined, file)
    ended.push(new WeakRef(faults))
  }
  await collectGarbage()
  const inMemory = ended.filter((simulation) => simulation.deref())
  t.ok(ended.length > 8)
  t.ok(inMemory.length <= 4, `${inMemory.length} of ${ended.length}: a night has thousands of simulations`)
})

t.test('every guarantee holds for the first seeds', async (t) => {
  let steps = 0
  for (let seed = FIRST_SEED; steps < STEPS; seed++) {
    const result = await simulate(planOf(seed))
    steps += result.steps
    t.equal(result.violation?.message, undefined, `npm run simulate -- --seed ${seed}`)
  }
})

t.test('the same seed gives the same trace, and another one another', async (t) => {
  const plan = planOf(4)
  const [first, second] = [await simulate(plan), await simulate(plan, { tells: true })]
  t.equal(first.trace, second.trace)
  t.equal(first.steps, second.steps)
  t.strictSame(first.faults, second.faults)
  t.not((await simulate(planOf(9))).trace, first.trace)
})

t.test('a map or set that is a field of an object belongs to the process that starts', async (t) => {
  const scheduler = new Scheduler()
  const restore = trackCollections(scheduler)
  t.teardown(restore)
  class Holder {
    readonly map = new Map([[1, 1]])
    readonly #set = new Set<number>()
    add(value: number) {
      this.#set.add(value)
    }
  }
  const process = new SimulatedProcess('worker', 1)
  const holderOf = () => {
    const holder = new Holder()
    for (const value of new Set([1, 2])) holder.add(value)
  }
  process.isStarting = true
  scheduler.runAs(process, holderOf)
  process.isStarting = false
  scheduler.runAs(process, holderOf)
  t.strictSame(
    process.collections.map(({ owner, collection }) => [owner, collection.size]),
    [
      ['Holder', 1],
      ['Holder', 2]
    ]
  )
  t.strictSame(overfull(process, 1), ['Holder holds 1', 'Holder holds 2'])
  restore()
  t.ok(new Map() instanceof Map)
})

t.test('each mutant fits the code', async (t) => {
  t.ok(MUTANTS.length > 30)
  for (const mutant of MUTANTS) t.ok(existsSync(fileOf(mutant)), mutant.name)
})

t.test('stored seeds find their mutants', async (t) => {
  const withMutant = storedSeeds().filter(({ mutant }) => mutant !== undefined)
  t.ok(withMutant.length >= 2)
  for (const { file, mutant = '', guarantee } of withMutant) {
    const seed = `${import.meta.dirname}/seeds/${file}`
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [`${import.meta.dirname}/run.ts`, '--plan', seed, '--mutant', mutant],
      { encoding: 'utf8' }
    )
    t.equal(status, 1, `${mutant}: ${stderr}`)
    t.ok(stdout.trim().split('\n').at(-1)?.includes(guarantee), stdout.slice(-500))
  }
})
